import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from inference.vision import onnx_file
from inference.vision.exceptions import CustomOperatorRefused, ExternalDataRefused, ModelUnreadable


def model(nodes, initializers=(), functions=(), opsets=()):
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])]
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(initializers))
    return helper.make_model(graph, functions=list(functions), opset_imports=[helper.make_opsetid("", 18), *opsets])


def test_a_plain_model_passes_and_its_operators_are_known(demo_model):
    contents = onnx_file.read(demo_model.read_bytes())
    truth = onnx.load(demo_model)
    assert contents.operators == {(node.domain, node.op_type) for node in truth.graph.node}
    assert not contents.external_data
    onnx_file.check(demo_model.read_bytes())


def test_weights_in_another_file_are_refused(tmp_path):
    weights = numpy_helper.from_array(np.ones(4096, np.float32), "w")
    path = tmp_path / "m.onnx"
    onnx.save(
        model([helper.make_node("Add", ["x", "w"], ["y"])], [weights]), path, save_as_external_data=True,
        location="w.bin", size_threshold=0,
    )  # fmt: skip
    with pytest.raises(ExternalDataRefused):
        onnx_file.check(path.read_bytes())


def test_an_operator_of_another_domain_is_refused_wherever_it_hides():
    hidden = helper.make_graph([helper.make_node("Launch", [], ["z"], domain="com.evil")], "branch", [], [])
    for node in (
        helper.make_node("Launch", ["x"], ["y"], domain="com.evil"),
        helper.make_node("If", ["x"], ["y"], then_branch=hidden, else_branch=hidden),
    ):
        with pytest.raises(CustomOperatorRefused) as refused:
            onnx_file.check(model([node]).SerializeToString())
        assert "com.evil::Launch" in refused.value.message


def test_a_function_that_the_model_brings_along_is_no_foreign_operator():
    function = helper.make_function(
        "mine", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 18)]
    )
    node = helper.make_node("Twice", ["x"], ["y"], domain="mine")
    onnx_file.check(model([node], functions=[function], opsets=[helper.make_opsetid("mine", 1)]).SerializeToString())


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_and_nothing_else_happens(data):
    try:
        onnx_file.check(data)
    except (ModelUnreadable, CustomOperatorRefused, ExternalDataRefused):
        return
    assert onnx.ModelProto.FromString(data).HasField("graph")
