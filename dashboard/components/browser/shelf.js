// Cards to choose one from: a picture, what it is, all that is to be said of it.

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const root = parentElement.querySelector(".shelf")
  root.replaceChildren(...data.offers.map((offer) => cardOf(offer, () => setTriggerValue("opened", offer.key))))
}

function cardOf(offer, choose) {
  const card = make("a")
  card.setAttribute("role", "listitem")
  lead(card, offer.href, choose)
  if (offer.picture) card.append(Object.assign(make("img"), { src: offer.picture, alt: "", loading: "lazy" }))
  const words = make("div")
  words.append(make("b", "", offer.title), make("p", "", offer.about))
  if (offer.hint) words.append(make("p", "hint", offer.hint))
  card.append(words)
  return card
}
