"""The messages of a `.caffemodel`, as far as a trained net needs them (field numbers of caffe.proto).

Both generations: `layer` (since 2015, types are words) and `layers` (V1, types are numbers).
"""

from __future__ import annotations

from .wire import Field

PHASES = {0: "TRAIN", 1: "TEST"}

BLOB_SHAPE = {1: Field("dim", "ints")}
BLOB = {
    1: Field("num"),
    2: Field("channels"),
    3: Field("height"),
    4: Field("width"),
    5: Field("data", "floats"),
    7: Field("shape", "message", BLOB_SHAPE),
    8: Field("double_data", "doubles"),
}
RULE = {1: Field("phase", "enum", names=PHASES), 4: Field("stage", "string"), 5: Field("not_stage", "string")}
TRANSFORM = {
    1: Field("scale", "float"),
    3: Field("crop_size"),
    4: Field("mean_file", "string"),
    5: Field("mean_value", "float"),
}
CONVOLUTION = {
    1: Field("num_output"),
    2: Field("bias_term", "bool"),
    3: Field("pad", "ints"),
    4: Field("kernel_size", "ints"),
    5: Field("group"),
    6: Field("stride", "ints"),
    9: Field("pad_h"),
    10: Field("pad_w"),
    11: Field("kernel_h"),
    12: Field("kernel_w"),
    13: Field("stride_h"),
    14: Field("stride_w"),
    18: Field("dilation", "ints"),
}
POOLING = {
    1: Field("pool", "enum", names={0: "MAX", 1: "AVE", 2: "STOCHASTIC"}),
    2: Field("kernel_size"),
    3: Field("stride"),
    4: Field("pad"),
    5: Field("kernel_h"),
    6: Field("kernel_w"),
    7: Field("stride_h"),
    8: Field("stride_w"),
    9: Field("pad_h"),
    10: Field("pad_w"),
    12: Field("global_pooling", "bool"),
    13: Field("round_mode", "enum", names={0: "CEIL", 1: "FLOOR"}),
}
LRN = {
    1: Field("local_size"),
    2: Field("alpha", "float"),
    3: Field("beta", "float"),
    4: Field("norm_region", "enum", names={0: "ACROSS_CHANNELS", 1: "WITHIN_CHANNEL"}),
    5: Field("k", "float"),
}
INNER_PRODUCT = {
    1: Field("num_output"),
    2: Field("bias_term", "bool"),
    5: Field("axis"),
    6: Field("transpose", "bool"),
}
CONCAT = {1: Field("concat_dim"), 2: Field("axis")}
ELTWISE = {1: Field("operation", "enum", names={0: "PROD", 1: "SUM", 2: "MAX"}), 2: Field("coeff", "float")}
RELU = {1: Field("negative_slope", "float")}
BATCH_NORM = {3: Field("eps", "float")}
SCALE = {1: Field("axis"), 2: Field("num_axes"), 4: Field("bias_term", "bool")}
POWER = {1: Field("power", "float"), 2: Field("scale", "float"), 3: Field("shift", "float")}
ELU = {1: Field("alpha", "float")}
FLATTEN = {1: Field("axis"), 2: Field("end_axis")}
RESHAPE = {1: Field("shape", "message", BLOB_SHAPE)}
INPUT = {1: Field("shape", "message", BLOB_SHAPE)}

LAYER = {
    1: Field("name", "string"),
    2: Field("type", "string"),
    3: Field("bottom", "string"),
    4: Field("top", "string"),
    7: Field("blobs", "message", BLOB),
    8: Field("include", "message", RULE),
    9: Field("exclude", "message", RULE),
    10: Field("phase", "enum", names=PHASES),
    100: Field("transform_param", "message", TRANSFORM),
    104: Field("concat_param", "message", CONCAT),
    106: Field("convolution_param", "message", CONVOLUTION),
    110: Field("eltwise_param", "message", ELTWISE),
    117: Field("inner_product_param", "message", INNER_PRODUCT),
    118: Field("lrn_param", "message", LRN),
    121: Field("pooling_param", "message", POOLING),
    122: Field("power_param", "message", POWER),
    123: Field("relu_param", "message", RELU),
    133: Field("reshape_param", "message", RESHAPE),
    135: Field("flatten_param", "message", FLATTEN),
    139: Field("batch_norm_param", "message", BATCH_NORM),
    140: Field("elu_param", "message", ELU),
    142: Field("scale_param", "message", SCALE),
    143: Field("input_param", "message", INPUT),
}

# Names as V1's enum spells them in text, with their numbers and today's names.
V1_TYPES = {
    1: ("ACCURACY", "Accuracy"),
    3: ("CONCAT", "Concat"),
    4: ("CONVOLUTION", "Convolution"),
    5: ("DATA", "Data"),
    6: ("DROPOUT", "Dropout"),
    7: ("EUCLIDEAN_LOSS", "EuclideanLoss"),
    8: ("FLATTEN", "Flatten"),
    9: ("HDF5_DATA", "HDF5Data"),
    12: ("IMAGE_DATA", "ImageData"),
    14: ("INNER_PRODUCT", "InnerProduct"),
    15: ("LRN", "LRN"),
    17: ("POOLING", "Pooling"),
    18: ("RELU", "ReLU"),
    19: ("SIGMOID", "Sigmoid"),
    20: ("SOFTMAX", "Softmax"),
    21: ("SOFTMAX_LOSS", "SoftmaxWithLoss"),
    22: ("SPLIT", "Split"),
    23: ("TANH", "TanH"),
    24: ("WINDOW_DATA", "WindowData"),
    25: ("ELTWISE", "Eltwise"),
    26: ("POWER", "Power"),
    29: ("MEMORY_DATA", "MemoryData"),
    30: ("ARGMAX", "ArgMax"),
    32: ("DUMMY_DATA", "DummyData"),
    33: ("SLICE", "Slice"),
    34: ("MVN", "MVN"),
    35: ("ABSVAL", "AbsVal"),
    36: ("SILENCE", "Silence"),
    39: ("DECONVOLUTION", "Deconvolution"),
}
V1_NAMES = dict(V1_TYPES.values())
V1_LAYER = {
    2: Field("bottom", "string"),
    3: Field("top", "string"),
    4: Field("name", "string"),
    5: Field("type", "enum", names={number: old for number, (old, _) in V1_TYPES.items()}),
    6: Field("blobs", "message", BLOB),
    9: Field("concat_param", "message", CONCAT),
    10: Field("convolution_param", "message", CONVOLUTION),
    17: Field("inner_product_param", "message", INNER_PRODUCT),
    18: Field("lrn_param", "message", LRN),
    19: Field("pooling_param", "message", POOLING),
    21: Field("power_param", "message", POWER),
    24: Field("eltwise_param", "message", ELTWISE),
    30: Field("relu_param", "message", RELU),
    32: Field("include", "message", RULE),
    33: Field("exclude", "message", RULE),
    36: Field("transform_param", "message", TRANSFORM),
}
NET = {
    1: Field("name", "string"),
    2: Field("layers", "message", V1_LAYER),
    3: Field("input", "string"),
    4: Field("input_dim", "ints"),
    8: Field("input_shape", "message", BLOB_SHAPE),
    100: Field("layer", "message", LAYER),
}
