// The toolbar and the distribution above the grid.

const BINS = 80
const SHOWABLE = {
  pictures: () => true,
  images: (data) => data.panels.every((panel) => panel.whole.some(Boolean)),
  examples: () => true,
  average: (data) => data.panels.some((panel) => panel.examples.some(Boolean)),
}

function fillControls(root, data, view) {
  const sort = root.querySelector(".sort")
  const wanted = [["", "Channel number"], ...data.statistics.map((statistic) => [statistic.name, statistic.title])]
  if (sort.dataset.of !== JSON.stringify(wanted)) {
    sort.dataset.of = JSON.stringify(wanted)
    sort.replaceChildren(...wanted.map(([value, text]) => new Option(text, value)))
  }
  sort.value = view.sort
  sort.title = statisticOf(data, view.sort)?.about || ""
  const direction = root.querySelector(".direction")
  direction.hidden = !view.sort
  direction.textContent = view.up ? "↑" : "↓"
  direction.title = view.up ? "Smallest first" : "Largest first"
  direction.setAttribute("aria-label", direction.title)
  const find = root.querySelector(".find")
  if (find.value !== view.find) find.value = view.find
  root.querySelector(".size").value = view.size
  for (const button of root.querySelectorAll("[data-show]")) {
    button.setAttribute("aria-pressed", String(button.dataset.show === view.show))
    button.hidden = !SHOWABLE[button.dataset.show](data)
  }
  const plot = root.querySelector(".plot")
  plot.hidden = !data.plots || data.statistics.length < 2
  plot.setAttribute("aria-pressed", String(Boolean(view.across)))
}

function fillCount(root, shown, all, coming, word) {
  const units = word === "Class" ? "classes" : "channels"
  const count = shown === all ? `${all} ${units}` : `${shown} of ${all} ${units}`
  root.querySelector(".count").textContent = coming ? `${count} · ${coming} to come` : count
}

// The layer's distribution of the sorting statistic; what is dragged over stays, the rest is filtered away.
function fillSpread(root, data, view, hoveredValue) {
  const spread = root.querySelector(".spread")
  const statistic = statisticOf(data, view.sort)
  const bars = statistic && histogram(statistic.values, BINS)
  spread.hidden = !bars
  if (!bars) return null
  const svg = spread.querySelector("svg")
  const step = 1000 / BINS
  const parts = bars.counts.map((count, k) => {
    const from = bars.low + (k / BINS) * bars.width
    const to = from + bars.width / BINS
    const out = (view.low !== null && to < view.low) || (view.high !== null && from > view.high)
    const height = count ? Math.max(1.5, 28 * Math.sqrt(count / bars.most)) : 0
    return `<rect class="bin${out ? " out" : ""}" x="${k * step}" y="${30 - height}" width="${step * 0.86}" height="${height}"></rect>`
  })
  if (hoveredValue !== null && hoveredValue !== undefined) {
    const x = (1000 * (hoveredValue - bars.low)) / bars.width
    parts.push(`<line x1="${x}" x2="${x}" y1="0" y2="30"></line>`)
  }
  svg.innerHTML = parts.join("")
  spread.querySelector(".low").textContent = written(view.low ?? bars.low, statistic.format)
  spread.querySelector(".high").textContent = written(view.high ?? bars.high, statistic.format)
  spread.querySelector(".about").textContent =
    view.low === null && view.high === null ? `${statistic.about} Drag to filter.` : "Click to show all again."
  spread.setAttribute("aria-label", `Distribution of ${statistic.title} over the layer's channels`)
  return bars
}

function listenToSpread(spread, state, change) {
  const valueAt = (event) => {
    const box = spread.getBoundingClientRect()
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width))
    return state.bars.low + share * state.bars.width
  }
  let from = null
  spread.onpointerdown = (event) => {
    from = valueAt(event)
    spread.setPointerCapture(event.pointerId)
  }
  spread.onpointermove = (event) => {
    if (from === null) return
    const to = valueAt(event)
    change({ low: Math.min(from, to), high: Math.max(from, to) })
  }
  spread.onpointerup = (event) => {
    if (from !== null && Math.abs(valueAt(event) - from) < state.bars.width / 200) change({ low: null, high: null })
    from = null
  }
}

// To those who can not see the canvas it is a list, whose active option is the channel that the keys have come to: a new
// element for another one, so that a screen reader hears of it. A list of nothing is none.
function fillOption(root, { data, view, order, focus }) {
  const list = root.querySelector(".view")
  list.setAttribute("role", order.length ? "listbox" : "group")
  const position = Math.max(0, focus)
  const channel = data.channels[order[position]]
  const option = make("div", "option", order.length ? `${data.word} ${channel}` : "")
  const told = { id: `channel-${channel}`, role: "option", "aria-selected": view.selected.includes(channel), "aria-posinset": position + 1, "aria-setsize": order.length }
  if (order.length) for (const [name, value] of Object.entries(told)) option.setAttribute(name, value)
  const before = list.querySelector(".option")
  if (!before.isEqualNode(option)) before.replaceWith(option)
  if (order.length && focus >= 0) list.setAttribute("aria-activedescendant", option.id)
  else list.removeAttribute("aria-activedescendant")
}

function fillPicked(root, view, change) {
  const picked = root.querySelector(".picked")
  picked.hidden = !view.selected.length
  if (picked.hidden) return
  const text = document.createElement("span")
  text.className = "names"
  text.textContent = `${view.selected.length} picked: ${view.selected.join(", ")}`
  const [beside, only, clear] = ["", "", ""].map(() => document.createElement("button"))
  beside.textContent = view.beside ? "Back to the grid" : "Compare side by side"
  beside.onclick = () => change({ beside: !view.beside })
  only.textContent = "Show only these"
  only.onclick = () => change({ find: view.selected.join(", ") })
  clear.textContent = "Clear"
  clear.onclick = () => change({ selected: [], find: "", beside: false })
  picked.replaceChildren(text, beside, only, clear)
}
