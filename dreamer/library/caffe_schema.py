"""Caffe's messages, as far as a trained net needs them (field numbers of its public format).

Both generations: `layer` (since 2015, types are words) and `layers` (V1, types are numbers).
"""

from __future__ import annotations

from .messages import messages

TRAIN, TEST = 0, 1

MESSAGES = messages(
    "caffe",
    """
enum Phase
0 TRAIN
1 TEST

enum PoolMethod
0 MAX
1 AVE
2 STOCHASTIC

enum Rounding
0 CEIL
1 FLOOR

enum NormRegion
0 ACROSS_CHANNELS
1 WITHIN_CHANNEL

enum EltwiseOp
0 PROD
1 SUM
2 MAX

enum V1Type
0 NONE
1 ACCURACY
2 BNLL
3 CONCAT
4 CONVOLUTION
5 DATA
6 DROPOUT
7 EUCLIDEAN_LOSS
8 FLATTEN
9 HDF5_DATA
10 HDF5_OUTPUT
11 IM2COL
12 IMAGE_DATA
13 INFOGAIN_LOSS
14 INNER_PRODUCT
15 LRN
16 MULTINOMIAL_LOGISTIC_LOSS
17 POOLING
18 RELU
19 SIGMOID
20 SOFTMAX
21 SOFTMAX_LOSS
22 SPLIT
23 TANH
24 WINDOW_DATA
25 ELTWISE
26 POWER
27 SIGMOID_CROSS_ENTROPY_LOSS
28 HINGE_LOSS
29 MEMORY_DATA
30 ARGMAX
31 THRESHOLD
32 DUMMY_DATA
33 SLICE
34 MVN
35 ABSVAL
36 SILENCE
37 CONTRASTIVE_LOSS
38 EXP
39 DECONVOLUTION

BlobShape
1 int64* dim

Blob
1 int32 num
2 int32 channels
3 int32 height
4 int32 width
5 bytes* data
7 BlobShape shape
8 bytes* double_data

Rule
1 Phase phase
4 string* stage
5 string* not_stage

Transform
1 float scale = 1
3 uint32 crop_size
4 string mean_file
5 float* mean_value

Convolution
1 uint32 num_output
2 bool bias_term = true
3 uint32* pad
4 uint32* kernel_size
5 uint32 group = 1
6 uint32* stride
9 uint32 pad_h
10 uint32 pad_w
11 uint32 kernel_h
12 uint32 kernel_w
13 uint32 stride_h
14 uint32 stride_w
18 uint32* dilation

Pooling
1 PoolMethod pool
2 uint32 kernel_size
3 uint32 stride = 1
4 uint32 pad
5 uint32 kernel_h
6 uint32 kernel_w
7 uint32 stride_h
8 uint32 stride_w
9 uint32 pad_h
10 uint32 pad_w
12 bool global_pooling
13 Rounding round_mode
10000 bool ceil_mode = true

Lrn
1 uint32 local_size = 5
2 float alpha = 1
3 float beta = 0.75
4 NormRegion norm_region
5 float k = 1

InnerProduct
1 uint32 num_output
2 bool bias_term = true
5 int32 axis = 1
6 bool transpose

Concat
1 uint32 concat_dim = 1
2 int32 axis = 1

Eltwise
1 EltwiseOp operation = SUM
2 float* coeff

Relu
1 float negative_slope

BatchNorm
3 float eps = 0.00001

Scale
1 int32 axis = 1
2 int32 num_axes = 1
4 bool bias_term

Bias
1 int32 axis = 1
2 int32 num_axes = 1

Power
1 float power = 1
2 float scale = 1
3 float shift

Base
1 float base = -1
2 float scale = 1
3 float shift

Elu
1 float alpha = 1

Flatten
1 int32 axis = 1
2 int32 end_axis = -1

Reshape
1 BlobShape shape
2 int32 axis
3 int32 num_axes = -1

Input
1 BlobShape* shape

Slice
1 uint32 slice_dim = 1
2 uint32* slice_point
3 int32 axis = 1

Softmax
2 int32 axis = 1

Permute
1 uint32* order

Normalize
1 bool across_spatial = true
3 bool channel_shared = true
4 float eps = 1e-10

ShuffleChannel
1 uint32 group = 1

Interp
1 int32 height
2 int32 width
3 int32 zoom_factor = 1
4 int32 shrink_factor = 1
5 int32 pad_beg
6 int32 pad_end

Upsample
1 int32 scale = 2

Mvn
1 bool normalize_variance = true
2 bool across_channels
3 float eps = 1e-9

Tile
1 int32 axis = 1
2 int32 tiles

Swish
1 float beta = 1

Clip
1 float min
2 float max

Layer
1 string name
2 string type
3 string* bottom
4 string* top
7 Blob* blobs
8 Rule* include
9 Rule* exclude
10 Phase phase
100 Transform transform_param
104 Concat concat_param
106 Convolution convolution_param
110 Eltwise eltwise_param
111 Base exp_param
117 InnerProduct inner_product_param
118 Lrn lrn_param
120 Mvn mvn_param
121 Pooling pooling_param
122 Power power_param
123 Relu relu_param
125 Softmax softmax_param
126 Slice slice_param
133 Reshape reshape_param
134 Base log_param
135 Flatten flatten_param
138 Tile tile_param
139 BatchNorm batch_norm_param
140 Elu elu_param
141 Bias bias_param
142 Scale scale_param
143 Input input_param
147 Swish swish_param
148 Clip clip_param
202 Permute permute_param
206 Normalize norm_param
10000 ShuffleChannel shuffle_channel_param
10001 Interp interp_param
10002 Upsample upsample_param

V1Layer
2 string* bottom
3 string* top
4 string name
5 V1Type type
6 Blob* blobs
9 Concat concat_param
10 Convolution convolution_param
17 InnerProduct inner_product_param
18 Lrn lrn_param
19 Pooling pooling_param
21 Power power_param
24 Eltwise eltwise_param
30 Relu relu_param
31 Slice slice_param
32 Rule* include
33 Rule* exclude
34 Mvn mvn_param
36 Transform transform_param
39 Softmax softmax_param
41 Base exp_param

Net
1 string name
2 V1Layer* layers
3 string* input
4 int32* input_dim
8 BlobShape* input_shape
100 Layer* layer
""",
)
NET, LAYER, BLOB = (MESSAGES[name] for name in ("Net", "Layer", "Blob"))

V1_NAMES = {  # today's names of those types of the first generation that are called otherwise now
    1: "Accuracy",
    2: "BNLL",
    3: "Concat",
    4: "Convolution",
    5: "Data",
    6: "Dropout",
    7: "EuclideanLoss",
    8: "Flatten",
    9: "HDF5Data",
    10: "HDF5Output",
    11: "Im2col",
    12: "ImageData",
    13: "InfogainLoss",
    14: "InnerProduct",
    15: "LRN",
    16: "MultinomialLogisticLoss",
    17: "Pooling",
    18: "ReLU",
    19: "Sigmoid",
    20: "Softmax",
    21: "SoftmaxWithLoss",
    22: "Split",
    23: "TanH",
    24: "WindowData",
    25: "Eltwise",
    26: "Power",
    27: "SigmoidCrossEntropyLoss",
    28: "HingeLoss",
    29: "MemoryData",
    30: "ArgMax",
    31: "Threshold",
    32: "DummyData",
    33: "Slice",
    34: "MVN",
    35: "AbsVal",
    36: "Silence",
    37: "ContrastiveLoss",
    38: "Exp",
    39: "Deconvolution",
}
