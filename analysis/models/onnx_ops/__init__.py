"""ONNX operators in torch: those that onnx2torch lacks, and those it gets wrong.

Each file holds functions `(node, *inputs) -> output or outputs`, entered by name in a table; registry.py hands them to
onnx2torch. An input that a node leaves out is None.
"""
