"""Models as one ONNX file, which onnxruntime and others run on servers, phones and in browsers.

`graph` holds the nodes and constants of a file, and `translate` writes nodes for each operation: `operations`, `cells`,
`entries` and `trees` say which. `compositions` writes an operation that ONNX or onnxruntime does not have as others.
`names` and `document` say what inputs and outputs are called and mean, `onnx_model` makes the file and `session` runs
it.
"""
