// Heat maps: grey tiles that cover a whole image, laid over it in a scale that the colour-blind can read.

const VIRIDIS = [[68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142], [31, 158, 137], [53, 183, 121], [109, 205, 89], [180, 222, 44], [253, 231, 37]]
const OPAQUE = 0.8 // where the channel answers most, falling as the root; where it does not, the image shows as it is
const DIM = 0.3
const FLOOR = 6 // shades of 255 that are not told from none: a compressed sheet is off by as much
const FINEST = 256 // px; a heat map is smooth, so more would show nothing more

// The colour and opacity of each of 256 shades.
const SHADES = Array.from({ length: 256 }, (_, shade) => {
  const at = (shade / 255) * (VIRIDIS.length - 1)
  const [low, part] = [Math.min(Math.floor(at), VIRIDIS.length - 2), at - Math.min(Math.floor(at), VIRIDIS.length - 2)]
  return [...[0, 1, 2].map((plane) => VIRIDIS[low][plane] * (1 - part) + VIRIDIS[low + 1][plane] * part), 255 * OPAQUE * Math.sqrt(Math.max(0, shade - FLOOR) / (255 - FLOOR))]
})

// What a heat map lies on is darkened a little, so that it can be told from what is bright in the image itself.
function dim(context, [x, y, w, h]) {
  context.fillStyle = `rgb(0 0 0 / ${DIM})`
  context.fillRect(x, y, w, h)
}

// Lay tile `index` of a sheet over the rectangle (x, y, w, h). strength: what the brightest shade counts for, 0 … 1.
// False: the sheet is not there yet; `whenReady` is called when it is.
function drawHeat(context, facts, index, [x, y, w, h], strength, whenReady) {
  const { image, ready } = sheet(facts.url, whenReady)
  if (!ready) return false
  const { width, height, columns } = facts
  const [across, down] = [Math.min(FINEST, Math.ceil(w)), Math.min(FINEST, Math.ceil(h))]
  const canvas = Object.assign(document.createElement("canvas"), { width: across, height: down })
  const own = canvas.getContext("2d", { willReadFrequently: true })
  own.imageSmoothingQuality = "high"
  const [left, top] = [(index % columns) * width, Math.floor(index / columns) * height]
  own.drawImage(image, left, top, width, height, 0, 0, across, down)
  const pixels = own.getImageData(0, 0, across, down)
  for (let k = 0; k < pixels.data.length; k += 4) {
    const [red, green, blue, alpha] = SHADES[Math.round(pixels.data[k] * strength)]
    pixels.data[k] = red
    pixels.data[k + 1] = green
    pixels.data[k + 2] = blue
    pixels.data[k + 3] = alpha
  }
  own.putImageData(pixels, 0, 0)
  context.drawImage(canvas, x, y, w, h)
  return true
}
