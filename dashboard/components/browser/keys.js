// Keys of every page. A page that has a use of its own for a key prevents its default, and goes first.

const MOST = 40
const EVERYWHERE = [["/", "go to a layer, a channel, an atlas or a page"], ["?", "this list"], ["Esc", "close it"]]
const OF_PAGE = {
  layer: [["← → ↑ ↓", "move"], ["Enter", "open the channel"], ["Space", "pick it"], ["c", "compare what was picked"], ["[ ]", "previous, next layer"], ["+ −", "larger, smaller"], ["/", "search the channels"]],
  channel: [["← →", "previous, next channel"], ["[ ]", "previous, next layer"]],
  map: [["← → ↑ ↓", "move"], ["+ −", "closer, farther"], ["Home", "the whole map"], ["Esc", "pick nothing"], ["[ ]", "previous, next layer"]],
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const [list, help] = [parentElement.querySelector(".goto"), parentElement.querySelector(".keys")]
  const state = (window.strataKeys ??= { listening: false })
  Object.assign(state, { data, list, help, tell: (choice) => setTriggerValue("chosen", choice) })
  help.querySelector("dl").replaceChildren(
    ...[...(OF_PAGE[data.page] || []), ...EVERYWHERE].flatMap(([key, does]) => [make("dt", "", key), make("dd", "", does)]),
  )
  for (const dialog of [list, help]) dialog.onclick = (event) => event.target === dialog && dialog.close()
  listenToList(state, list)
  if (state.listening) return
  state.listening = true
  document.addEventListener("keydown", (event) => {
    const typing = event.composedPath()[0].closest?.("input, textarea, select, [contenteditable], dialog")
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !["/", "?"].includes(event.key)) return
    // after everyone who listens to the document as well
    queueMicrotask(() => setTimeout(() => event.defaultPrevented || open(state, event.key)))
  })
}

function open(state, key) {
  const { list, help } = state
  if (key === "?") return help.open ? help.close() : help.showModal()
  list.querySelector("input").value = ""
  fillList(state)
  list.showModal()
  list.querySelector("input").focus()
}

function listenToList(state, list) {
  const input = list.querySelector("input")
  input.oninput = () => fillList(state)
  input.onkeydown = (event) => {
    const items = [...list.querySelectorAll("li:not(.none)")]
    const at = items.findIndex((item) => item.getAttribute("aria-selected") === "true")
    if (event.key === "Enter") items[at]?.click()
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const next = items[(at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length]
      items.forEach((item) => item.setAttribute("aria-selected", String(item === next)))
      next?.scrollIntoView({ block: "nearest" })
    } else return
    event.preventDefault()
  }
}

// What fits what was typed: all its words in the name; behind a colon the number of a channel.
function matching(places, text) {
  const [, wanted, number] = text.trim().toLowerCase().match(/^(.*?)(?::(\d*))?$/)
  const words = wanted.replace(/^[^/\s]+-[0-9a-f]{8}\//, "").split(/\s+/).filter(Boolean)
  const found = places.filter((place) => words.every((word) => place.name.toLowerCase().includes(word)))
  const exact = (place) => (place.name.toLowerCase() === words.join(" ") ? 0 : 1)
  const kept = number === undefined ? found : found.filter((place) => place.kind === "layer")
  return kept.sort((a, b) => exact(a) - exact(b)).slice(0, MOST).map((place) => ({ ...place, channel: number ? Number(number) : null }))
}

function fillList(state) {
  const found = matching(state.data.places, state.list.querySelector("input").value)
  const items = found.map((place, k) => {
    const item = make("li")
    item.setAttribute("role", "option")
    item.setAttribute("aria-selected", String(k === 0))
    item.append(make("span", "", place.channel === null ? place.name : `${place.name}:${place.channel}`), make("small", "", place.about))
    item.onclick = () => {
      state.list.close()
      state.tell({ kind: place.kind, name: place.name, channel: place.channel })
    }
    return item
  })
  state.list.querySelector("ul").replaceChildren(...(items.length ? items : [make("li", "none", "Nothing of that name.")]))
}
