"""Charts as small static SVG pictures, for pages and notebooks.

Read `chart` first: a `Chart` draws series in a frame with axes and a legend. Then `series` and its kinds (`line`,
`points`, `band`, `histogram`, `surface`), `annotations` and `scale` with `ticks`. Beside charts there are `bars` with
names, and `matrix`, which draws a table as a heat map. `svg` writes elements. Colours are classes that the style sheet
of a page defines; without one, everything has the colour of the text around it, and series differ by dashes and
markers.
"""
