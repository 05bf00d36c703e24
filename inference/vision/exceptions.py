"""Everything that vision refuses, each with a stable code.

VisionError
├── ModelError
│   ├── ModelUnreadable        model_unreadable
│   ├── DigestMismatch         digest_mismatch
│   ├── ExternalDataRefused    external_data_refused
│   ├── CustomOperatorRefused  custom_operator_refused
│   ├── ModelNotSupported      model_not_supported
│   ├── ClassesMissing         classes_missing
│   ├── InputInvalid           model_input_invalid
│   └── OutputInvalid          model_output_invalid
├── ImageError
│   ├── ImageUnreadable        image_unreadable
│   └── ImageTooLarge          image_too_large
└── FrameInvalid               frame_invalid
"""

from typing import ClassVar


class VisionError(Exception):
    """Base of the tree; `code` is stable, the message is for people."""

    code: ClassVar[str] = "vision_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ModelError(VisionError):
    """A model file that will not be run."""

    code = "model_error"


class ModelUnreadable(ModelError):
    """Not there, not ONNX, or refused by ONNX Runtime."""

    code = "model_unreadable"


class DigestMismatch(ModelError):
    """The bytes are not those that were expected; ONNX Runtime would run flipped weights without a word."""

    code = "digest_mismatch"


class ExternalDataRefused(ModelError):
    """Weights in other files are outside the digest."""

    code = "external_data_refused"


class CustomOperatorRefused(ModelError):
    """An operator that neither ONNX nor ONNX Runtime defines."""

    code = "custom_operator_refused"


class ModelNotSupported(ModelError):
    """The outputs fit no head that is known; the message says what was found and what is supported."""

    code = "model_not_supported"


class ClassesMissing(ModelError):
    """Neither the metadata nor the caller names the classes, or their number does not fit the outputs."""

    code = "classes_missing"


class InputInvalid(ModelError):
    """The input description does not fit the model's input tensor."""

    code = "model_input_invalid"


class OutputInvalid(ModelError):
    """The model gave figures that its head cannot give, such as scores outside 0..1."""

    code = "model_output_invalid"


class ImageError(VisionError):
    """A picture that will not be decoded."""

    code = "image_error"


class ImageUnreadable(ImageError):
    """Not a picture of a format that is read here, or damaged."""

    code = "image_unreadable"


class ImageTooLarge(ImageError):
    """More bytes or more pixels than allowed, found before decoding."""

    code = "image_too_large"


class FrameInvalid(VisionError):
    """Not a BGR frame of `uint8`."""

    code = "frame_invalid"
