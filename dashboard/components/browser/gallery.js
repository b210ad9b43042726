// Images to choose one from: a tile, what it is, what the model calls it.

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const root = parentElement.querySelector(".gallery")
  root.replaceChildren(...data.items.map((item) => itemOf(item, data, setTriggerValue)))
}

function itemOf(item, data, tell) {
  const link = document.createElement("a")
  link.href = item.href
  link.setAttribute("role", "listitem")
  link.title = [item.title, item.about].filter(Boolean).join(", ")
  const canvas = document.createElement("canvas")
  const side = 140 * (window.devicePixelRatio || 1)
  Object.assign(canvas, { width: side, height: side })
  const draw = () => {
    const context = canvas.getContext("2d")
    context.imageSmoothingQuality = "high"
    if (item.tile) drawTile(context, data.sheets[item.tile[0]], item.tile[1], 0, 0, side, draw)
  }
  draw()
  const [title, about] = [document.createElement("b"), document.createElement("span")]
  title.textContent = item.title
  about.textContent = item.about
  link.append(canvas, title, about)
  link.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
    event.preventDefault()
    tell("opened", item.key)
  }
  return link
}
