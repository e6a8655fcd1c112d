"""Objects as HTML."""

from xml.etree import ElementTree

from evonas.notebook import card


def test_names_and_values_are_text_and_the_picture_is_markup():
    markup = card("<title>", {"<b>": "<script>", "n": 3}, "<svg/>")
    root = ElementTree.fromstring(markup)
    assert root.find("strong").text == "<title>"
    assert [cell.text for row in root.find("table") for cell in row] == ["<b>", "<script>", "n", "3"]
    assert root.find("svg") is not None
