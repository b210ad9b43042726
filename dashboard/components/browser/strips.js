// Rows of a name, pictures and figures: the library's atlases, a model's layers, two models' layers.

const STRIPS = new WeakMap()

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const root = parentElement.querySelector(".strips")
  root.classList.toggle("cards", data.cards)
  root.classList.toggle("headed", Boolean(data.head))
  root.classList.toggle("plain", data.rows.every((row) => !row.tiles.length))
  root.style.setProperty("--left", data.left)
  root.style.setProperty("--figure", `${data.figure}px`)
  const state = STRIPS.get(parentElement) || { observer: null }
  STRIPS.set(parentElement, state)
  state.observer?.disconnect()
  fillHead(root.querySelector(".head"), data)
  const drawn = []
  root.querySelector(".rows").replaceChildren(...data.rows.map((row) => rowOf(row, data, drawn, setTriggerValue)))
  state.observer = new ResizeObserver(() => drawn.forEach((draw) => draw()))
  state.observer.observe(root)
  return () => state.observer.disconnect()
}

function fillHead(head, data) {
  head.hidden = !data.head
  if (!data.head) return
  const figures = make("div", "figures")
  figures.append(...data.head.figures.map((title) => titleOf(title, data.rows)))
  const tiles = make("div", "tiles")
  tiles.append(...data.head.tiles.map((title) => Object.assign(make("div", "", title), { style: "flex: 1" })))
  head.replaceChildren(make("div", "", data.head.left), tiles, figures)
}

// What a column of figures is called, and, pointed at, what it means.
function titleOf(title, rows) {
  const box = make("div", "figure")
  const about = rows.flatMap((row) => row.figures).find((figure) => figure.title === title)?.about
  const name = make("span", about ? "told" : "", title)
  name.title = about || ""
  box.append(name)
  return box
}

function rowOf(row, data, drawn, setTriggerValue) {
  const link = make("a", row.here ? "row here" : "row")
  lead(link, row.href, () => setTriggerValue("opened", row.key))
  link.setAttribute("role", "listitem")
  const who = make("div", "who")
  if (row.field !== null) who.append(fieldOf(row.field))
  const words = make("div")
  words.append(make("div", "title", row.title), make("div", "subtitle", row.subtitle))
  words.title = `${row.title}\n${row.subtitle}`
  who.append(words)
  const tiles = make("div", "tiles")
  tiles.append(...row.tiles.map((panel, k) => panelOf(panel, data.head?.tiles[k], row, data, drawn)))
  const figures = make("div", "figures")
  figures.append(...row.figures.map((figure) => figureOf(figure)))
  link.append(who, tiles, figures)
  if (row.note) link.append(make("div", "note", row.note))
  return link
}

// title: what a narrow screen says above it, where there are several and it must be told whose this is
function panelOf(tiles, title, row, data, drawn) {
  const panel = make("div", "panel")
  if (row.tiles.length > 1 && title) panel.append(make("small", "", title))
  panel.append(tiles.length ? stripOf(tiles, data, drawn) : make("div", "empty", row.empty))
  return panel
}

function stripOf(tiles, data, drawn) {
  const canvas = make("canvas")
  canvas.style.height = `${data.tile}px`
  let asked = null
  const draw = () => {
    asked = null
    const [width, ratio] = [canvas.clientWidth, window.devicePixelRatio || 1]
    if (!width) return
    canvas.width = Math.round(width * ratio)
    canvas.height = Math.round(data.tile * ratio)
    const context = canvas.getContext("2d")
    context.scale(ratio, ratio)
    context.imageSmoothingQuality = "high"
    const shown = Math.min(tiles.length, Math.floor((width + 5) / (data.tile + 5)))
    const chosen = data.cards ? spreadOver(tiles, shown) : tiles.slice(0, shown) // a layer's first tell most of it
    chosen.forEach(([s, t], k) => drawTile(context, data.sheets[s], t, k * (data.tile + 5), 0, data.tile, again))
  }
  const again = () => { asked ??= requestAnimationFrame(draw) }
  drawn.push(again)
  again()
  return canvas
}

// So many of the items, evenly from the first to the last.
function spreadOver(items, count) {
  if (items.length <= count) return items
  return Array.from({ length: count }, (_, k) => items[Math.round((k * (items.length - 1)) / Math.max(1, count - 1))])
}

function figureOf(figure) {
  const box = make("div", figure.alarm ? "figure alarm" : "figure", figure.value)
  if (figure.title) box.append(make("small", "", figure.title))
  box.title = figure.about || figure.title
  if (figure.share !== null && figure.share !== undefined) {
    const [bar, fill] = [make("div", "bar"), make("i")]
    fill.style.width = `${100 * Math.min(1, Math.max(0, figure.share))}%`
    bar.append(fill)
    box.append(bar)
  }
  return box
}
