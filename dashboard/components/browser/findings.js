// What looks wrong, one line each, worst first.

const FIRST = 3
const OPEN = new WeakMap()
const NAMES = { high: "grave", medium: "doubtful", low: "to know" }

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const root = parentElement.querySelector(".findings")
  const state = OPEN.get(parentElement) || { all: false, opened: new Set() }
  OPEN.set(parentElement, state)
  const go = (layer, channel) => setTriggerValue("opened", { layer, channel })
  const fill = () => {
    const shown = state.all ? data.cards : data.cards.slice(0, FIRST)
    root.querySelector(".cards").replaceChildren(...shown.map((card) => cardOf(card, data, state, go)))
    const all = root.querySelector(".all")
    all.hidden = state.all || data.cards.length <= FIRST
    all.textContent = `Show all ${data.cards.length} findings`
    all.onclick = () => { state.all = true; fill() }
  }
  fill()
  fillUnjudged(root.querySelector(".unjudged"), data.unjudged)
}

function cardOf(card, data, state, go) {
  const box = make("details", `card ${card.severity}`)
  const summary = make("summary")
  summary.append(make("span", "severity", NAMES[card.severity] || card.severity), make("span", "title", card.title))
  const body = make("div", "body")
  box.append(summary, body)
  const fillBody = () => {
    if (!body.childElementCount) body.append(...partsOf(card, data, go))
  }
  box.ontoggle = () => {
    state.opened[box.open ? "add" : "delete"](card.title)
    if (box.open) fillBody()
  }
  if (state.opened.has(card.title)) { fillBody(); box.open = true }
  return box
}

function partsOf(card, data, go) {
  const evidence = make("dl")
  for (const [name, value] of card.evidence) {
    const pair = make("div")
    pair.append(make("dt", "", name), make("dd", "", value))
    evidence.append(pair)
  }
  const parts = [evidence, told("If nothing were wrong. ", card.null), told("What to do. ", card.cure)]
  if (card.units.length) {
    const units = make("div", "units")
    units.append(...card.units.map((unit) => unitOf(unit, card, data, go)))
    if (card.more) units.append(make("span", "", `and ${card.more} more`))
    parts.push(units)
  }
  if (card.layer) {
    const link = make("a", "layer", `Open ${card.layer}`)
    lead(link, card.href, () => go(card.layer, null))
    parts.push(link)
  }
  return parts
}

function told(what, words) {
  const line = make("p")
  line.append(make("b", "", what), words)
  return line
}

function unitOf(unit, card, data, go) {
  const link = make("a", "unit")
  lead(link, unit.href, () => go(unit.layer, unit.channel))
  link.title = `${unit.layer}:${unit.channel}`
  const canvas = make("canvas")
  const side = 64 * (window.devicePixelRatio || 1)
  Object.assign(canvas, { width: side, height: side })
  const draw = () => {
    const context = canvas.getContext("2d")
    context.imageSmoothingQuality = "high"
    drawTile(context, data.sheets[unit.tile[0]], unit.tile[1], 0, 0, side, draw)
  }
  if (unit.tile) draw()
  link.append(canvas, String(unit.channel))
  if (!card.layer) link.append(make("span", "", unit.layer))
  return link
}

function fillUnjudged(box, lines) {
  box.hidden = !lines.length
  box.querySelector("summary").textContent = `Not judged yet: ${lines.length}`
  box.querySelector("ul").replaceChildren(...lines.map((line) => make("li", "", line)))
}
