"""TensorFlow's messages, as far as a frozen graph needs them (field numbers of its public format)."""

from __future__ import annotations

from .messages import messages

MESSAGES = messages(
    "tensorflow",
    """
Dimension
1 int64 size

Shape
2 Dimension* dim
3 bool unknown_rank

Tensor
1 int32 dtype
2 Shape tensor_shape
4 bytes tensor_content
5 bytes* float_val
6 bytes* double_val
7 int32* int_val
10 int64* int64_val
11 bool* bool_val
13 int32* half_val

List
2 bytes* s
3 int64* i
4 float* f

Value
1 List list
2 bytes s
3 int64 i
4 float f
5 bool b
6 int32 type
7 Shape shape
8 Tensor tensor

Attribute
1 string key
2 Value value

Node
1 string name
2 string op
3 string* input
5 Attribute* attr

Graph
1 Node* node
""",
)
GRAPH = MESSAGES["Graph"]
