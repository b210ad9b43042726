// Numbers of one channel, each before the distribution over its layer; and the distribution of its own values.

const FIRST = 8 // that a narrow screen shows at once: those that people ask for most come first

export default function (component) {
  const { parentElement, data } = component
  const root = parentElement.querySelector(".gauges")
  fillOwn(root.querySelector(".own"), data.own)
  const all = root.querySelector(".all")
  all.replaceChildren(...data.measures.map(gaugeOf))
  for (const rare of [...all.children].slice(FIRST)) rare.classList.add("rare")
  const rest = root.querySelector(".rest")
  rest.hidden = data.measures.length <= FIRST || all.classList.contains("open")
  rest.textContent = `Show all ${data.measures.length} figures`
  rest.onclick = () => {
    all.classList.add("open")
    rest.hidden = true
  }
}

function fillOwn(section, own) {
  section.hidden = !own
  if (!own) return
  section.querySelector("h3").textContent = own.title
  section.querySelector(".about").textContent = own.about
  const { counts, low, high } = own
  const most = Math.max(...counts)
  const step = 1000 / counts.length
  const width = high - low || 1
  const bars = counts.map((count, k) => {
    const height = count ? Math.max(1.5, (88 * Math.log1p(count)) / Math.log1p(most)) : 0
    const side = low + ((k + 0.5) / counts.length) * width > 0 ? "above" : "below"
    return `<rect class="${side}" x="${k * step}" y="${90 - height}" width="${step * 0.92}" height="${height}"></rect>`
  })
  const zero = (-low / width) * 1000
  if (zero > 0 && zero < 1000) bars.push(`<line class="zero" x1="${zero}" x2="${zero}" y1="0" y2="90"></line>`)
  section.querySelector("svg").innerHTML = bars.join("")
  const ends = [low, high].map((value) => Object.assign(document.createElement("span"), { textContent: written(value, "number") }))
  section.querySelector(".ends").replaceChildren(...ends)
}

function gaugeOf(measure) {
  const box = document.createElement("div")
  box.className = "gauge"
  const value = measure.values[measure.place]
  const header = document.createElement("header")
  const [name, figure, about] = ["button", "b", "p"].map((kind) => document.createElement(kind))
  Object.assign(name, { type: "button", textContent: measure.title, title: measure.about })
  name.setAttribute("aria-expanded", "false")
  Object.assign(about, { className: "about", textContent: measure.about, hidden: true })
  name.onclick = () => {
    about.hidden = !about.hidden
    name.setAttribute("aria-expanded", String(!about.hidden))
  }
  figure.textContent = written(value, measure.format)
  header.append(name, figure)
  const small = document.createElement("small")
  const finite = measure.values.filter((v) => v !== null)
  const bars = histogram(measure.values, 40)
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg")
  svg.setAttribute("viewBox", "0 0 400 34")
  svg.setAttribute("preserveAspectRatio", "none")
  if (bars) {
    const parts = bars.counts.map((count, k) => {
      const height = count ? Math.max(1.5, 32 * Math.sqrt(count / bars.most)) : 0
      return `<rect x="${k * 10}" y="${34 - height}" width="8.6" height="${height}"></rect>`
    })
    if (value !== null) {
      const x = (400 * (value - bars.low)) / bars.width
      parts.push(`<line x1="${x}" x2="${x}" y1="0" y2="34"></line>`)
    }
    svg.innerHTML = parts.join("")
  }
  if (value !== null && finite.length > 1) {
    const below = finite.filter((v) => v < value).length
    const others = finite.length - 1
    small.textContent = below === others ? "the highest of the layer" : below === 0 ? "the lowest of the layer" : `above ${Math.round((100 * below) / others)} % of the layer`
  }
  box.append(header, about, svg, small)
  return box
}
