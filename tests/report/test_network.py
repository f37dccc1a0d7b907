"""The drawing of a network."""

import itertools
import re
from xml.etree import ElementTree

import pytest

from tests.report.contents import branching_network, chain_network, layer
from tests.report.markup import Page
from tunesmith.report._blocks import family_of, gather
from tunesmith.report._layout import BOX_WIDTH, Layout, lay_out
from tunesmith.report.network import draw_network

NETWORKS = {"chain": chain_network(), "long chain": chain_network(12), "branches": branching_network()}


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> list[dict]:
    return NETWORKS[request.param]


def overlaps(layout: Layout) -> list[tuple[int, int]]:
    boxes = layout.boxes.items()
    return [
        (i, j)
        for i, a in boxes
        for j, b in boxes
        if i < j and abs(a.x - b.x) < BOX_WIDTH and a.y < b.y + b.height and b.y < a.y + a.height
    ]


def test_a_drawing_is_xml_that_stands_alone(network: list[dict]):
    drawn = draw_network(network)
    assert ElementTree.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"
    assert "<style>" in drawn


def test_no_two_boxes_overlap_and_all_lie_inside_the_drawing(network: list[dict]):
    layout = lay_out(gather(network))
    assert overlaps(layout) == []
    assert all(BOX_WIDTH / 2 <= box.x <= layout.width - BOX_WIDTH / 2 for box in layout.boxes.values())
    assert all(box.y >= 0 and box.y + box.height <= layout.height for box in layout.boxes.values())


def test_every_connection_is_drawn_once(network: list[dict]):
    blocks = gather(network)
    edges = [(edge.source, edge.target) for edge in lay_out(blocks).edges]
    assert sorted(edges) == sorted((parent, child) for child, block in enumerate(blocks) for parent in block.parents)


def test_every_layer_is_named_in_the_drawing(network: list[dict]):
    text = Page(draw_network(network)).text
    assert all(re.search(rf"\b{re.escape(entry['name'])}\b", text) for entry in network)


def test_a_block_shows_type_detail_shape_and_parameters():
    drawn = Page(draw_network([layer("c", "Conv2D", "3x3, 64, relu", [None, 28, 28, 64], 18_496, [])]))
    assert {"Conv2D", "3x3, 64, relu", "28×28×64", "18,496 par."} <= set(drawn.texts)


def test_activations_normalisations_and_dropouts_are_folded_into_their_layer():
    blocks = gather(chain_network(1))
    assert [block.type for block in blocks] == ["Input", "Conv2D", "MaxPooling2D", "Flatten", "Dense", "Dense"]
    assert blocks[1].extras == ("batch norm", "relu")
    assert blocks[1].parameters == 4_640 + 64
    assert blocks[4].extras == ("Dropout 0.21",)


def test_a_layer_whose_answer_goes_two_ways_takes_no_activation_in():
    network = [
        layer("in", "InputLayer", "", [None, 4], 0, []),
        layer("dense", "Dense", "4", [None, 4], 20, ["in"]),
        layer("act", "ReLU", "", [None, 4], 0, ["dense"]),
        layer("add", "Add", "", [None, 4], 0, ["act", "dense"]),
    ]
    assert [(block.type, block.parents) for block in gather(network)] == [
        ("Input", ()),
        ("Dense", (0,)),
        ("ReLU", (1,)),
        ("Add", (2, 1)),
    ]


def test_a_skip_passes_its_rows_on_their_right():
    layout = lay_out(gather(branching_network()))
    skips = [edge for edge in layout.edges if edge.lane is not None and not edge.wraps]
    assert len(skips) == 2
    for edge in skips:
        rows = [box for box in layout.boxes.values() if layout.boxes[edge.source].y <= box.y <= layout.boxes[edge.target].y]
        assert all(edge.lane > box.x + BOX_WIDTH / 2 for box in rows)  # pyright: ignore[reportOptionalOperand]


def test_skips_that_overlap_have_lanes_of_their_own():
    layers = [layer("l0", "Dense", "", [None, 4], 0, [])]
    layers += [layer(f"l{i}", "Dense", "", [None, 4], 0, [f"l{j}" for j in range(i)]) for i in range(1, 5)]
    edges = [edge for edge in lay_out(gather(layers)).edges if edge.lane is not None]
    by_lane: dict[float | None, list[tuple[int, int]]] = {}
    for edge in edges:
        by_lane.setdefault(edge.lane, []).append((edge.source, edge.target))
    for spans in by_lane.values():
        ordered = sorted(spans)
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(ordered))


def test_a_long_chain_is_wrapped_into_at_most_four_columns():
    layout = lay_out(gather(chain_network(20)))
    assert len({box.x for box in layout.boxes.values()}) == 4
    assert layout.height < 1.5 * layout.width


def test_a_network_that_cannot_be_cut_stays_in_one_column():
    layers = [layer("l0", "Dense", "", [None, 4], 0, [])]
    layers += [layer(f"l{i}", "Dense", "", [None, 4], 0, [f"l{i - 1}", "l0"][: 1 + (i > 1)]) for i in range(1, 20)]
    layout = lay_out(gather(layers))
    assert len({box.x for box in layout.boxes.values()}) == 1


def test_the_last_layer_is_marked_as_the_output():
    assert [block.is_output for block in gather(chain_network(1))] == [False] * 5 + [True]


def test_unknown_and_later_inputs_are_left_out_and_missing_keys_stay_blank():
    blocks = gather([{"name": "a", "inputs": ["b", "nowhere"]}, {"name": "b"}, {}])
    assert [block.parents for block in blocks] == [(), (), ()]
    assert Page(draw_network([{}])).problems == []


def test_a_network_without_layers_has_no_drawing():
    assert draw_network([]) == ""


@pytest.mark.parametrize(
    ("layer_type", "family"),
    [
        ("AveragePooling2D", "pooling"),
        ("SeparableConv2D", "convolution"),
        ("Average", "merge"),
        ("LayerNormalization", "normalisation"),
        ("SpatialDropout2D", "dropout"),
        ("Something", "other"),
    ],
)
def test_layers_are_coloured_by_family(layer_type: str, family: str):
    assert family_of(layer_type) == family


def test_long_names_are_cut_to_their_box():
    drawn = draw_network([layer("x", "T" * 200, "d" * 200, [None, 4], 5, [])])
    shown = re.findall(r">([Td]+…)<", drawn)
    assert len(shown) == 2
    assert max(map(len, shown)) < 40
