"""From a frame to boxes: models, preprocessing, heads, overlap and tracks; numpy, OpenCV and ONNX Runtime only.

Frames are `uint8` arrays `[height, width, 3]` in BGR order, upright. Boxes inside the package are float32 `[N, 4]` as
`x1, y1, x2, y2`; at its border (`Detection`) they are `x, y, width, height`. Both are pixels, origin top left, y down.
"""
