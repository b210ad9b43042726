// One channel: its picture, and the real images that excite it most, with the place in each that did.

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const root = parentElement.querySelector(".unit")
  const whole = root.querySelector(".whole")
  fillMain(root.querySelector(".main"), data.picture)
  const ask = (title) => setTriggerValue("ask", title)
  root.querySelector(".asks").replaceChildren(...data.asks.map((title) => askButton(title, ask)))
  const go = (step) => setTriggerValue("channel", step)
  root.querySelector(".notes").replaceChildren(...data.notes.map((note) => noteOf(note, data, go)))
  const fillImages = () => {
    const open = (number) => setTriggerValue("image", number)
    const groups = data.groups.map((group) => groupOf(group, data, whole, open))
    const found = data.groups.some((group) => group.items.some((item) => item.heat))
    if (found) groups[0].prepend(whereOf(fillImages))
    else if (data.heat && groups.length) groups[0].prepend(askOf(data.heat, () => setTriggerValue("heat", true)))
    root.querySelector(".images").replaceChildren(...groups)
  }
  fillImages()
  root.querySelector(".portraits").replaceChildren(...data.portraits.map(portraitOf))
  root.querySelector(".rows").replaceChildren(...data.rows.map((row) => rowOf(row, data, go)))
  listenForSteps({ ArrowLeft: ["channel", -1], ArrowRight: ["channel", 1] })
  listenForSteps({ "[": ["layer", -1], "]": ["layer", 1] })
  const [alive, always] = [() => root.isConnected, [-Infinity, Infinity]]
  stepsFrom("channel", data.place, always, alive, (by) => setTriggerValue("channel", by))
  stepsFrom("layer", data.place, data.room, alive, (by) => setTriggerValue("layer", by))
}

function fillMain(main, picture) {
  const figure = make("figure")
  figure.style.cursor = "default"
  if (picture.url) figure.append(Object.assign(make("img"), { src: picture.url, alt: picture.alt }))
  else figure.append(make("div", "none", picture.alt))
  figure.append(make("figcaption", "", picture.caption))
  main.replaceChildren(figure)
}

function askButton(title, ask) {
  return Object.assign(make("button", "", title), { type: "button", onclick: () => ask(title) })
}

// Pictures that somebody asked for: a face each, or why there are none yet.
function portraitOf(portrait) {
  const section = make("section", "portrait")
  section.append(make("h3", "", portrait.title))
  if (portrait.about) section.append(make("p", "about", portrait.about))
  const faces = make("div", "faces")
  for (const face of portrait.faces) {
    const figure = make("figure")
    const image = Object.assign(make("img"), { src: face.url, alt: `${portrait.title}: ${face.caption}` })
    figure.append(image, make("figcaption", "", face.caption))
    faces.append(figure)
  }
  section.append(faces)
  return section
}

function rowOf(row, data, go) {
  const section = make("section")
  const items = make("div", "neighbours")
  for (const item of row.items) {
    const link = make("a", "neighbour")
    lead(link, item.href, () => go(item.step))
    link.append(tileOf(item, data), make("b", "", item.label), make("span", "", item.value))
    items.append(link)
  }
  section.append(make("h3", "", row.title), make("p", "about", row.about), items)
  return section
}

function noteOf(note, data, go) {
  const box = make(note.step ? "a" : "div", "note")
  if (note.step) lead(box, note.href, () => go(note.step))
  if (note.tile) box.append(tileOf(note, data))
  const words = make("div", "words")
  words.append(make("h3", "", note.title), make("p", "about", note.about), ...note.bars.map(barOf))
  box.append(words)
  return box
}

function tileOf(note, data) {
  const canvas = make("canvas")
  if (!note.tile) return canvas
  const [sheet, tile] = note.tile
  const side = 72 * (window.devicePixelRatio || 1)
  Object.assign(canvas, { width: side, height: side })
  const draw = () => {
    const context = canvas.getContext("2d")
    context.imageSmoothingEnabled = !note.sharp
    context.imageSmoothingQuality = "high"
    drawTile(context, data.sheets[sheet], tile, 0, 0, side, draw)
  }
  draw()
  return canvas
}

function barOf(bar) {
  const line = make("div", "line")
  const [rail, fill] = [make("div", "rail"), make("i")]
  fill.style.width = `${100 * bar.share}%`
  rail.append(fill)
  line.append(make("span", "", bar.label), rail, make("b", "", bar.value))
  return line
}

const WHERE = { shown: false } // whether whole images with their heat maps stand in for the patches

function whereOf(again) {
  const label = make("label", "where")
  const box = Object.assign(make("input"), { type: "checkbox", checked: WHERE.shown })
  box.onchange = () => {
    WHERE.shown = box.checked
    again()
  }
  label.append(box, make("span", "", "Where it answers"))
  return label
}

function askOf(state, ask) {
  if (state === "coming") return make("span", "where", "Finding where it answers …")
  return Object.assign(make("button", "where", "Find where it answers"), { type: "button", onclick: ask })
}

// The whole image in a square, under the heat map of the channel where there is one. Gives the image's place: x, y, w, h.
function drawWhole(context, item, data, side, again) {
  const [s, t] = item.image
  if (!drawTile(context, data.sheets[s], t, 0, 0, side, again)) return null
  const { width, height } = data.sheets[s]
  const scale = side / Math.max(width, height)
  const place = [(side - width * scale) / 2, (side - height * scale) / 2, width * scale, height * scale]
  if (!item.heat) return place
  dim(context, place)
  drawHeat(context, data.sheets[item.heat[0]], item.heat[1], place, item.strength, again)
  return place
}

function groupOf(group, data, whole, open) {
  const section = make("section")
  const items = make("div", "items")
  items.style.setProperty("--item", `${group.size}px`)
  items.append(...group.items.map((item) => itemOf(item, group.size, data, whole, open)))
  section.append(make("h3", "", group.title), make("p", "about", group.about), items)
  return section
}

function itemOf(item, size, data, whole, open) {
  const figure = make("figure")
  figure.tabIndex = 0
  figure.setAttribute("role", "link")
  figure.onclick = () => open(item.number)
  figure.onkeydown = (event) => {
    if (event.key === "Enter") open(item.number)
  }
  figure.setAttribute("aria-label", `${item.label || item.name}, response ${item.value}`)
  const canvas = make("canvas")
  const side = Math.round(size * 1.6 * (window.devicePixelRatio || 1))
  Object.assign(canvas, { width: side, height: side })
  const draw = () => {
    const context = canvas.getContext("2d")
    context.imageSmoothingQuality = "high"
    if (WHERE.shown && item.image && item.heat) drawWhole(context, item, data, side, draw)
    else drawTile(context, data.sheets[item.patch[0]], item.patch[1], 0, 0, side, draw)
  }
  draw()
  const caption = make("figcaption")
  caption.append(make("span", "", item.label || item.name), make("span", "", item.value))
  figure.append(canvas, caption)
  const show = () => showWhole(whole, figure, item, data)
  const hide = () => { whole.hidden = true }
  Object.assign(figure, { onpointerenter: show, onpointerleave: hide, onfocus: show, onblur: hide })
  return figure
}

// The whole image, with a frame around what the patch shows.
function showWhole(whole, figure, item, data) {
  const canvas = make("canvas")
  const [side, ratio] = [260, window.devicePixelRatio || 1]
  Object.assign(canvas, { width: side * ratio, height: side * ratio })
  Object.assign(canvas.style, { width: `${side}px`, height: `${side}px` })
  const context = canvas.getContext("2d")
  context.scale(ratio, ratio)
  context.imageSmoothingQuality = "high"
  const draw = () => {
    if (!item.image) return drawTile(context, data.sheets[item.patch[0]], item.patch[1], 0, 0, side, draw)
    const place = drawWhole(context, item, data, side, draw)
    if (!place) return
    const [x, y, w, h] = place
    const [left, top, right, bottom] = item.box
    const frame = [x + left * w, y + top * h, (right - left) * w, (bottom - top) * h]
    for (const [colour, line] of [["#000a", 5], ["#fff", 2]]) {
      context.strokeStyle = colour
      context.lineWidth = line
      context.strokeRect(...frame)
    }
  }
  draw()
  const words = make("p", "", item.label ? `${item.label} ` : "")
  words.append(make("small", "", item.name))
  whole.replaceChildren(canvas, words)
  whole.hidden = false
  const box = figure.getBoundingClientRect()
  const x = box.right + 12 + 282 < window.innerWidth ? box.right + 12 : box.left - 12 - 282
  whole.style.left = `${Math.max(8, x)}px`
  whole.style.top = `${Math.max(8, Math.min(box.top, window.innerHeight - whole.offsetHeight - 8))}px`
}
