// One step of the browser's history for one step of a person's. Streamlit leaves two when a page is opened with a query:
// the old page with the new query, then the new page. The second takes the first one's place.

const LATEST = 5000 // ms between the two, at most, on a slow connection
const LEFT = new WeakMap() // element → the address that it led to

export default function ({ data, parentElement }) {
  countSteps()
  if (data?.instead && LEFT.get(parentElement) !== data.instead) {
    LEFT.set(parentElement, data.instead)
    goInstead(data.instead)
  }
}

function countSteps() {
  if (window.strataHistory) return
  window.strataHistory = true
  const push = history.pushState.bind(history)
  let queryChanged = -Infinity
  history.pushState = (state, title, url) => {
    const next = new URL(url, location.href)
    const moved = next.pathname !== location.pathname
    const second = moved && next.search && next.search === location.search && performance.now() - queryChanged < LATEST
    const typed = !moved && wasTyped(next)
    queryChanged = moved || typed ? -Infinity : performance.now()
    if (second || typed) history.replaceState(state, title, url)
    else push(state, title, url)
  }
}

// Whether this address is here because a person typed into a search field or sized tiles: the grid tells of each such
// change (window.strataTyped), and nothing else of the address differs.
function wasTyped(next) {
  const told = (window.strataTyped ?? []).filter(({ until }) => performance.now() < until)
  const [from, to] = [location.search, next.search].map((search) => new URLSearchParams(search))
  const now = { find: to.get("find") ?? "", size: to.get("size") }
  const at = told.findLastIndex(({ find, size }) => find === now.find && (now.size === null || size === now.size))
  for (const query of [from, to]) {
    for (const name of ["find", "size"]) query.delete(name)
    query.sort()
  }
  const typed = at >= 0 && from.toString() === to.toString()
  window.strataTyped = typed ? told.slice(at + 1) : told
  return typed
}

// A page that only leads on: the address it leads to takes the place of its own, and Streamlit hears of it as if the
// browser had gone there. A page that was opened from outside may do so before `countSteps` has run.
function goInstead(address) {
  history.replaceState({}, "", address)
  window.dispatchEvent(new PopStateEvent("popstate", { state: {} }))
}
