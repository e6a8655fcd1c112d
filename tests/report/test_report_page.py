"""The page of a run as a person uses it, in a real Chromium."""

import dataclasses
import re

import pytest
from report_cases import EVIL, EvilSpace, subject

from evonas.report.report import report

ROWS = "#rows tbody tr[data-row]"


@pytest.fixture(scope="module")
def small():
    return report(subject())


def ids_in_view(page):
    return [int(text) for text in page.locator(f"{ROWS} td:first-child").all_inner_texts()]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_report_opens_without_a_complaint_and_without_the_network(open_page, small, theme, tmp_path):
    opened = open_page(small, theme)
    opened.scroll_through()
    assert opened.page.locator("html").get_attribute("data-theme") == theme
    assert opened.page.locator("#result .drawing svg").is_visible()
    picture = opened.page.screenshot(path=tmp_path / f"{theme}.png", full_page=True)
    assert len(picture) > 50_000  # an empty page of this size has a tenth of that
    assert not opened.complaints
    assert all(url.startswith(("file:", "blob:", "data:")) for url in opened.requests), opened.requests


def test_the_button_changes_light_to_dark_for_page_and_plots(open_page, small):
    opened = open_page(small)
    opened.scroll_through()
    background = "getComputedStyle(document.querySelector('.plot .main-svg')).backgroundColor"
    paper = "getComputedStyle(document.querySelector('#result .drawing .paper')).fill"
    before = opened.page.evaluate(background), opened.page.evaluate(paper)
    opened.page.click("#theme")
    opened.page.wait_for_function(f"{background} === 'rgb(24, 29, 36)'")
    assert before == ("rgb(255, 255, 255)", "rgb(255, 255, 255)")
    assert opened.page.evaluate(paper) == "rgb(24, 29, 36)"
    assert not opened.complaints


def test_a_click_on_a_row_shows_its_drawing_and_its_numbers(open_page, small):
    opened = open_page(small)
    row = opened.page.locator(ROWS).nth(3)
    architecture = row.locator("td").last.inner_text()
    row.click()
    assert row.get_attribute("aria-selected") == "true"
    opened.page.locator("#detail svg").wait_for()
    assert opened.page.locator("#detail svg title").text_content() == architecture
    assert architecture in opened.page.locator("#detail .facts").inner_text()


def test_the_arrow_keys_go_from_row_to_row(open_page, small):
    page = open_page(small).page
    page.locator(ROWS).first.click()
    page.locator("#rows").focus()
    page.keyboard.press("ArrowDown")
    assert page.locator(ROWS).nth(1).get_attribute("aria-selected") == "true"


def test_the_table_is_sorted_by_a_click_and_what_has_no_value_comes_last(open_page, small):
    page = open_page(small).page
    fitness = page.locator("#rows th", has_text="fitness")
    assert fitness.get_attribute("aria-sort") == "descending"  # the best are first
    page.locator("#rows th", has_text="id").first.click()
    assert ids_in_view(page)[:5] == [0, 1, 2, 3, 4]
    fitness.click()
    fitness.click()
    assert fitness.get_attribute("aria-sort") == "ascending"
    page.locator("#rows").evaluate("box => box.scrollTop = box.scrollHeight")
    page.wait_for_function(f"document.querySelector('{ROWS}:nth-last-child(2) td:nth-child(2)').textContent === ''")


def test_the_filter_keeps_the_rows_that_have_all_its_words(open_page, small):
    page = open_page(small).page
    page.fill("#filter", "diverged avg_pool")
    shown = page.locator(ROWS).all_inner_texts()
    assert shown
    assert all("diverged" in text and "avg_pool" in text for text in shown)
    assert re.fullmatch(r"\d+ of 60", page.inner_text("#count"))
    page.fill("#filter", "nothing is called so")
    assert page.inner_text("#count") == "0 of 60"
    assert not page.locator(ROWS).count()


def test_a_click_in_the_legend_takes_a_series_away(open_page, small):
    opened = open_page(small)
    opened.scroll_through()
    plot = opened.page.locator("#progress .plot").first
    plot.scroll_into_view_if_needed()
    visible = "element => element.data.map(trace => trace.visible ?? true)"
    assert plot.evaluate(visible) == [True] * 6
    plot.locator(".legendtoggle").last.click()
    opened.page.wait_for_function(
        "document.querySelector('#progress .plot').data.at(-1).visible === 'legendonly'", timeout=5000
    )
    assert not opened.complaints


def test_a_tab_shows_the_other_view_of_a_plot(open_page, small):
    opened = open_page(small)
    opened.scroll_through()
    panel = opened.page.locator("#progress .panel").first
    panel.get_by_role("tab", name="by device time").click()
    panel.locator("text=device minutes").wait_for()
    assert not opened.complaints


def test_a_click_on_a_point_shows_the_candidate(open_page, small):
    opened = open_page(small)
    opened.scroll_through()
    plot = opened.page.locator("#tradeoff .plot").last
    plot.scroll_into_view_if_needed()
    point = plot.locator(".scatterlayer .trace").first.locator(".point").first.bounding_box()
    opened.page.mouse.move(point["x"] + 3, point["y"] + 4)
    opened.page.mouse.click(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    opened.page.locator("#detail svg").wait_for()
    assert not opened.complaints


def test_text_from_a_run_stays_text(open_page):
    page = report(subject(EvilSpace(), evaluations=40, workdir=f"runs/{EVIL}"))
    opened = open_page(page)
    opened.scroll_through()
    opened.page.fill("#filter", "onerror")
    opened.page.locator(ROWS).first.click()
    opened.page.locator("#detail svg").wait_for()
    assert EVIL in opened.page.locator("#detail .facts").inner_text()
    assert EVIL in opened.page.locator("header").inner_text()
    assert page.count("<script") == 3  # the data, plotly, and the page's own
    assert not opened.page.locator("img").count()
    assert not opened.complaints


def test_the_page_runs_no_script_but_its_own(open_page, small):
    opened = open_page(small.replace("<footer>", "<script>document.title = 'taken'</script><footer>"))
    assert opened.page.title() != "taken"
    assert "Content Security Policy" in opened.complaints[0]


def test_ten_thousand_candidates_stay_usable(open_page):
    run = subject(evaluations=200)
    many = [one._replace(id=200 * place + one.id) for place in range(50) for one in run.evaluations]
    page = report(dataclasses.replace(run, evaluations=many))
    opened = open_page(page)
    opened.page.fill("#filter", "skip_connect~0")
    assert opened.page.locator(ROWS).count() < 60  # those in view, of thousands
    opened.page.fill("#filter", "")
    opened.page.locator("#rows").evaluate("box => box.scrollTop = box.scrollHeight / 2")
    opened.page.locator(ROWS).nth(15).click()
    opened.page.locator("#detail svg").wait_for()
    assert opened.page.inner_text("#count") == "10,000 of 10,000"
    opened.scroll_through()
    assert not opened.complaints


def test_a_run_without_its_space_is_reported_without_drawings(open_page):
    opened = open_page(report(dataclasses.replace(subject(), space=None)))
    opened.scroll_through()
    opened.page.locator(ROWS).first.click()
    opened.page.locator("#detail .missing").wait_for()
    assert not opened.complaints
