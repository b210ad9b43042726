// Images to choose one from: a tile, what it is, what the model calls it.

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const root = parentElement.querySelector(".gallery")
  root.replaceChildren(...data.items.map((item) => itemOf(item, data, setTriggerValue)))
}

function itemOf(item, data, tell) {
  const link = make("a")
  lead(link, item.href, () => tell("opened", item.key))
  link.setAttribute("role", "listitem")
  link.title = [item.title, item.about].filter(Boolean).join(", ")
  const canvas = make("canvas")
  const side = 140 * (window.devicePixelRatio || 1)
  Object.assign(canvas, { width: side, height: side })
  const draw = () => {
    const context = canvas.getContext("2d")
    context.imageSmoothingQuality = "high"
    if (item.tile) drawTile(context, data.sheets[item.tile[0]], item.tile[1], 0, 0, side, draw)
  }
  draw()
  link.append(canvas, make("b", "", item.title), make("span", "", item.about))
  return link
}
