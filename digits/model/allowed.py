"""What a model's files may hold: the classes that may be named, and the limits of every size.

Files come from strangers too, and a description may name any class of Keras and any size. So
there is a list of what is allowed, and all else is refused, with the reason.
"""

# Every class that a description may name, by its module: all of Keras that only computes.
# Left out: what holds code (Lambda, JaxLayer, FlaxLayer, TorchModuleWrapper), reads files or
# vocabularies (TFSMLayer, StringLookup, IntegerLookup, TextVectorization), hashes text
# (Hashing, HashedCrossing), is for sound or for boxes around things (STFTSpectrogram,
# MelSpectrogram, the initializer STFT, MaxNumBoundingBoxes), hides from the check of sizes what
# it computes (Pipeline), does nothing by itself (Layer, Wrapper), or has weights whose form
# changes with Keras's releases (quantized dtype policies).
ALLOWED = {
    "keras.layers": """
        InputLayer Identity Masking Dense EinsumDense Embedding ReversibleEmbedding
        Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose
        DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D
        MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D
        GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D
        GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
        AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D
        AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D
        BatchNormalization LayerNormalization GroupNormalization RMSNormalization
        UnitNormalization SpectralNormalization
        Activation ReLU LeakyReLU PReLU ELU Softmax
        Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D AlphaDropout
        GaussianDropout GaussianNoise ActivityRegularization
        Add Subtract Multiply Average Maximum Minimum Concatenate Dot
        Flatten Reshape Permute RepeatVector
        ZeroPadding1D ZeroPadding2D ZeroPadding3D Cropping1D Cropping2D Cropping3D
        UpSampling1D UpSampling2D UpSampling3D
        SimpleRNN LSTM GRU RNN SimpleRNNCell LSTMCell GRUCell StackedRNNCells
        ConvLSTM1D ConvLSTM2D ConvLSTM3D Bidirectional TimeDistributed
        Attention AdditiveAttention MultiHeadAttention GroupQueryAttention
        Rescaling Normalization Resizing CenterCrop Discretization CategoryEncoding
        RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop
        RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale
        RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation
        RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom
        RandAugment AugMix MixUp CutMix AutoContrast Equalization Solarization
        ContrastLimitedAdaptiveHistogramEqualization
    """,
    # What Keras makes of `x + y`, `x / 255`, `x[:, 0]` or `keras.ops.relu(x)` in a graph.
    "keras.src.ops.numpy": """
        Absolute Add Amax Amin Average Ceil Clip Concatenate Cos Cumprod Cumsum Divide Equal Exp
        ExpandDims Expm1 Flip Floor GetItem Greater GreaterEqual Less LessEqual Log Log1p LogicalAnd
        LogicalNot LogicalOr Matmul Max Maximum Mean Min Minimum Moveaxis Multiply Negative NotEqual
        OnesLike Pad Power Prod Ravel Reciprocal Repeat Reshape Roll Round Sign Sin Split Sqrt
        Square Squeeze Stack Std Subtract Sum Swapaxes Tanh Tile Transpose TrueDivide Var Where
        ZerosLike
    """,
    "keras.src.ops.nn": """
        Relu Relu6 Sigmoid SparseSigmoid Softplus Softsign SoftShrink SparsePlus Silu Squareplus
        LogSigmoid LeakyRelu HardSigmoid HardSilu Elu Selu Gelu Celu Glu TanhShrink HardTanh
        HardShrink Threshold Softmax LogSoftmax Sparsemax Normalize
    """,
    "keras.src.ops.core": "Cast",
    "keras": "Sequential DTypePolicy",
    "keras.src.models.functional": "Functional",
    "keras.dtype_policies": "DTypePolicyMap",
    "keras.initializers": """
        Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform
        Ones Orthogonal RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros
    """,
    "keras.regularizers": "L1 L1L2 L2 OrthogonalRegularizer",
    "keras.constraints": "MaxNorm MinMaxNorm NonNeg UnitNorm",
    "None": "__keras_tensor__ __slice__ __ellipsis__",  # parts of a graph
}
ALLOWED = {module: set(names.split()) for module, names in ALLOWED.items()}

# To build and try 490 dense or convolutional layers takes 6 s of a busy processor's time and
# 300 MB; 195 recurrent ones took 33 s. DenseNet121 has 430 layers.
MOST_LAYERS = 500
RECURRENT = 10  # layers that one with a loop counts as
LOOPS = {"LSTM", "GRU", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "Bidirectional"}
MOST_VALUES = 10**7  # parameters in all, values of one image after a layer, and any setting
MOST_BYTES = 8 * MOST_VALUES  # of weights, which may be float64
MOST_FILE = 4 * MOST_BYTES  # of a file, which may hold the state of an optimizer beside them
MOST_TEXT = 2**23  # bytes of a description
MOST_PARTS = 5000  # of an HDF5 file
MOST_REPEATS = 100  # of what Keras pads by, or repeats in a loop:
REPEATS = {"kernel_size", "pool_size", "strides", "dilation_rate", "power_iterations"}
REPEATS |= {"num_ops", "num_chains", "chain_depth"}
NOT_THE_MODEL = {"build_config", "compile_config", "shared_object_id"}
OTHER_NAMES = {  # of the same classes, as some releases of Keras write them
    "GroupedQueryAttention": "GroupQueryAttention",
    "IdentityInitializer": "Identity",
    "OrthogonalInitializer": "Orthogonal",
}
UNUSED = {"optimizer", "optimizer_weights"}  # groups of an HDF5 file: state of the training
COMPUTED = (  # elsewhere, and kept in the description as values
    "values that are no weights, as of keras.ops.arange, are not; for positions, let a bias be "
    'learned: EinsumDense("abc,cd->abd", (28, 16), bias_axes="bd")'
)
KINDS = "only Sequential and functional models can be written to model.json: make it one of these"
SOFTMAX = 'let it end in softmax, as in Dense(10, activation="softmax")'
FLATTEN = "let a Flatten() stand before its last Dense layer"
INPUT = "let it begin with keras.Input((28, 28, 1)) or keras.Input((28, 28))"


class Refused(ValueError):
    """Why a file or a model is refused; reads on after its name: "asks for Lambda, ..."."""
