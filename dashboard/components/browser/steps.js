// Keys that lead to the neighbour: those pressed while the next place is still on its way are kept for it.

const STEPS = (window.strataSteps ??= { now: {}, ahead: {} })
const PATIENCE = 5000 // ms that a place may take to come

// Tell where we are: `place` names it, `tell(by)` leads away, `alive()` is false once it is gone. `room` are the least
// and greatest step there is. What was asked for on the way here is asked for now.
function stepsFrom(kind, place, room, alive, tell) {
  STEPS.now[kind] = { place, room, alive, tell }
  const ahead = STEPS.ahead[kind]
  if (!ahead || ahead.from === place) return
  delete STEPS.ahead[kind]
  if (ahead.steps && performance.now() < ahead.until) stepBy(kind, ahead.steps)
}

function stepBy(kind, by) {
  const [now, ahead] = [STEPS.now[kind], STEPS.ahead[kind]]
  if (ahead && performance.now() < ahead.until) {
    ahead.steps += by
    return
  }
  delete STEPS.ahead[kind]
  if (!now?.alive()) return
  const possible = Math.max(now.room[0], Math.min(now.room[1], by))
  if (!possible) return
  STEPS.ahead[kind] = { from: now.place, steps: 0, until: performance.now() + PATIENCE }
  now.tell(possible)
}

// keys: name of a key → [kind, step]. Once a window and set of keys, however many places come and go.
function listenForSteps(keys) {
  const name = Object.keys(keys).join(" ")
  if (STEPS[name]) return
  STEPS[name] = true
  document.addEventListener("keydown", (event) => {
    const typing = event.composedPath()[0].closest?.("input, textarea, select, [contenteditable]")
    if (typing || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key in keys) stepBy(...keys[event.key])
  })
}
