"""What opens pages in tests notices whatever a page must not do."""

import pytest

from tests.browser import PHONE, watched_pages

PAGE = "<!doctype html><meta charset=utf-8><title>A page</title><link rel=icon href='data:,'><p>Here.</p><script>{}</script>"


def page_with(folder, script):
    path = folder / "page.html"
    path.write_text(PAGE.format(script))
    return path


def test_a_page_opens_from_a_file_at_both_widths(browse, tmp_path):
    path = page_with(tmp_path, "localStorage.setItem('key', 'kept')")
    wide, narrow = browse(path), browse(path, PHONE)
    assert wide.inner_text("p") == narrow.inner_text("p") == "Here."
    assert [page.evaluate("[screen.width, innerWidth]") for page in (wide, narrow)] == [[1280, 1280], [390, 980]]
    assert browse(path, context=wide.context).evaluate("localStorage.getItem('key')") == "kept"


@pytest.mark.parametrize(
    ("script", "trouble"),
    [
        ("console.error('no good')", "console: no good"),
        ("nothing()", "exception: nothing is not defined"),
        ("fetch('https://example.org/x').catch(() => {})", "request: https://example.org/x"),
        ("new Image().src = 'http://example.org/pixel.png'", "request: http://example.org/pixel.png"),
        ("new WebSocket('ws://example.org/')", "connection: ws://example.org/"),
    ],
)
def test_what_a_page_must_not_do_fails_the_test(chromium, tmp_path, script, trouble):
    opened = watched_pages(chromium)
    page = next(opened)(page_with(tmp_path, script))
    page.wait_for_timeout(300)
    with pytest.raises(AssertionError, match=trouble):
        next(opened)
