"""Puts the pages outside docs/ into the site, and turns links to the repository into links there.

On a git host the pages lead to each other by their paths in the repository. The site has the pages
of docs/ and of the root side by side, a page for each program that a page leads to, and a reference
made of docstrings.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File
from mkdocs.utils import get_relative_url

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
# Pages outside docs/, by their path in the repository -> in the site.
BESIDE = {
    "README.md": "index.md",
    "SECURITY.md": "SECURITY.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "examples/README.md": "examples/README.md",
}
REFERENCE = {
    "tracesplice": ("The functions", ["tracesplice"]),
    "testing": ("For tests", ["tracesplice_testing"]),
    "adapter": ("For adapters", ["tracesplice.adapter"]),
    "hookspecs": ("Hooks", ["tracesplice.hookspecs"]),
    "packages": (
        "Packages of adapters",
        [
            "tracesplice_langchain",
            "tracesplice_llama_index",
            "tracesplice_celery",
            "tracesplice_ray",
        ],
    ),
}
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|`[^`]*`)*)\]\(([^)\s]+)\)|(!\[[^\]]*\])\(([^)\s]+)\)")
FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
PLANNED = ("not_joined.md", "faults.md")
# What the theme would load from elsewhere, and what does the same here.
ELSEWHERE = "https://unpkg.com/iframe-worker/shim"
LANGUAGES = {".py": "python", ".mjs": "javascript", ".js": "javascript", ".yaml": "yaml"}


def in_repository(src_uri: str) -> str:
    """The path in the repository of a page of the site."""
    named = {site: path for path, site in BESIDE.items()}
    return named.get(src_uri, f"docs/{src_uri}")


def in_site(path: str) -> str | None:
    """The page of the site that shows what is at a path of the repository."""
    if path in BESIDE:
        return BESIDE[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return f"source/{path}.md" if (ROOT / path).is_file() else None


def target_of(page: str, link: str) -> str:
    """The path in the repository that a link of a page, both in the repository, leads to."""
    return os.path.normpath(os.path.join(os.path.dirname(page), link))


def rewritten(text: str, src_uri: str) -> str:
    """The page's text with links that lead to pages of the site; what has none is plain text."""

    def replace(match: re.Match[str]) -> str:
        shown, link = (f"[{match[1]}]", match[2]) if match[2] else (match[3], match[4])
        path, mark, anchor = link.partition("#")
        if "://" in link or not path:
            return match[0]
        found = in_site(target_of(in_repository(src_uri), path))
        if found is None:
            return match[1] or ""
        return f"{shown}({os.path.relpath(found, os.path.dirname(src_uri) or '.')}{mark}{anchor})"

    parts = FENCE.split(text)
    return "".join(p if i % 2 else LINK.sub(replace, p) for i, p in enumerate(parts))


def source_page(path: str) -> str:
    """A page that shows a file."""
    language = LANGUAGES.get(Path(path).suffix, "text")
    return f"# {path}\n\n````{language}\n{(ROOT / path).read_text()}````\n"


def reference_page(title: str, modules: list[str]) -> str:
    """A page of the docstrings of what modules export."""
    alone = len(modules) == 1
    heads = ["" if alone else f"## {each}\n\n" for each in modules]
    level = 2 if alone else 3
    options = f"    options:\n      heading_level: {level}\n"
    parts = [f"{h}::: {m}\n{options}\n" for h, m in zip(heads, modules, strict=True)]
    return f"# {title}\n\n" + "".join(parts)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Leave out pages that have a place and are not written yet."""
    for section in config.nav or []:
        for title, entries in section.items():
            if isinstance(entries, list):
                section[title] = [each for each in entries if not {*each.values()} & missing()]
    return config


def missing() -> set[str]:
    """Of the planned pages, those that are not there."""
    return {each for each in PLANNED if not (ROOT / "docs" / each).exists()}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is not in docs/."""
    for path, site in BESIDE.items():
        files.append(File.generated(config, site, content=(ROOT / path).read_text()))
    for name, (title, modules) in REFERENCE.items():
        page = reference_page(title, modules)
        files.append(File.generated(config, f"reference/{name}.md", content=page))
    for path in linked_sources(files):
        files.append(File.generated(config, f"source/{path}.md", content=source_page(path)))
    for name in ("site.css", "worker.js"):
        files.append(File.generated(config, name, abs_src_path=str(ROOT / "site" / name)))
    return files


def linked_sources(files: Files) -> set[str]:
    """The files of the repository, other than pages, that pages lead to."""
    pages = [file for file in files.documentation_pages() if not file.src_uri.startswith("ref")]
    found: set[str] = set()
    for file in pages:
        at = in_repository(file.src_uri)
        for match in LINK.finditer(file.content_string):
            path = (match[2] or match[4]).partition("#")[0]
            if path and "://" not in path:
                found.add(target_of(at, path))
    return {each for each in found if (in_site(each) or "").startswith("source/")}


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Turn the links of a page into links of the site."""
    if page.file.src_uri.startswith(("source/", "reference/")):
        return markdown
    return rewritten(markdown, page.file.src_uri)


def on_post_page(output: str, page: Page, **_: object) -> str:
    """Let the page load the search's helper from the site."""
    return output.replace(ELSEWHERE, get_relative_url("worker.js", page.url))


def on_post_template(output_content: str, **_: object) -> str:
    """The same for the page that says that there is no such page."""
    return output_content.replace(ELSEWHERE, "/worker.js")


def on_page_content(html: str, **_: object) -> str:
    """Let long code in tables break where it reads well."""

    def break_code(code: re.Match[str]) -> str:
        return code[1] + re.sub(r"([(/,_])(?=\w)", r"\1<wbr>", code[2]) + "</code>"

    def in_table(table: re.Match[str]) -> str:
        return re.sub(r"(<code>)([^<]*)</code>", break_code, table[0])

    return re.sub(r"<table>.*?</table>", in_table, html, flags=re.DOTALL)
