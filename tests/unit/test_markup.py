"""Other tools' markup: taken out line for line, with what readers would see left in."""

from __future__ import annotations

import re
import time
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.markup import clean, clean_text


def cleaned(text: str, mdx: bool = False) -> str:
    """The cleaned text, after the check that no line was lost or won."""
    text = dedent(text).strip("\n")
    found = clean(text, mdx).text
    assert found.count("\n") == text.count("\n")
    return found


def shown(text: str, mdx: bool = False) -> list[str]:
    """Its lines that are not blank, without trailing blanks."""
    return [line.rstrip() for line in cleaned(text, mdx).split("\n") if line.strip()]


@pytest.mark.parametrize(
    "text",
    [
        "Plain *markdown* with [a link](x.md), `code`, a < b and 3 > 2.\n\n- one\n- two\n",
        "| a | b |\n| --- | --- |\n| 1 | 2 |\n\n> quoted\n\n    indented\n",
        "Write <your name> and <https://example.org>, or to <me@example.org>.",
        "Type {name} in braces, or {1, 2}. A price of 5 {EUR}.",
        "Use import and export as you like.\nimport duties are paid by you.",
        "Setext\n===\n\nAnother\n---\n\n***\n",
        "Text with a stray {{ and {% and <!-- and <div and `.",
        "List<String> of Map<String, Int> where a<b.",
    ],
)
def test_without_such_markup_nothing_changes(text):
    assert clean(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "```liquid\n{% include x.html %}\n{{ site.name }} <b>bold</b>\n```",
        "~~~\n<!-- shown -->\n:::note\n!!! warning\n    x\n~~~",
        "Use `{% raw %}` or ``{{ `x` }}`` and `<Tabs>` in `> [!NOTE]`.",
        "Text.\n\n    {{ indented.code }}\n    <div>\n\nMore.",
        "- item\n\n  ```html\n  <p>{{ x }}</p>\n  ```\n",
        "> ```\n> {% x %}\n> ```\n",
        "````md\n```\n{{ x }}\n```\n````",
        "```jsx\nimport Tabs from '@theme/Tabs';\n\nexport const a = 1;\n```",
    ],
)
def test_code_is_left_alone(text):
    assert clean(text).text == text


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Open {{ site.product_name }} now.", "Open product name now."),
        ("Sign in to {% data variables.product.prodname %}.", "Sign in to prodname."),
        ("## About {{ site.product }}", "## About product"),
        ("Use {{ page.x | default: 'the app' }}.", "Use the app."),
        ("{{ content }}", ""),
        ("{% include ads.html %}", ""),
        ('{%- include note.html content="Keep *this*." -%}', "Keep *this*."),
        ("Press {% if a %}one{% else %}two{% endif %} button.", "Press one button."),
        ("The {% ifversion x %}{{ a.b }}{% elsif y %}owner{% endif %} pays.", "The b pays."),
        ("A {% if a %}{% else %}second{% endif %} B", "A second B"),
        ("{% case x %}{% when 1 %}one{% when 2 %}two{% endcase %}", "one"),
        ("{% raw %}{{ kept }} {% as it is %}{% endraw %}", "{{ kept }} {% as it is %}"),
        ("a {% comment %}hidden {{ x }}{% endcomment %} b", "a b"),
        ("[x]({{ site.baseurl }}/docs/x)", "[x](/docs/x)"),
        ("[x]({{ site.baseurl }}{% link docs/x.md %})", "[x](/docs/x.md)"),
        ('[x]({{< relref "x.md" >}})', "[x](x.md)"),
        ('Two {{< tooltip text="Pods" id="pod" >}} run.', "Two Pods run."),
        ("{{% note %}}Read this.{{% /note %}}", "Read this."),
        ("*word*{: .big } and [x](y){target=_blank}{#id}", "*word* and [x](y)"),
        (
            "[AUTOTITLE](/rest/guides/getting-started#first)",
            "[Getting started](/rest/guides/getting-started#first)",
        ),
        ("Never closed {% if x %}still {% else %}all {{ here", "Never closed still all {{ here"),
    ],
)
def test_template_languages(text, seen):
    assert cleaned(text).strip() == seen


def test_loops_over_data_hold_nothing_to_read():
    assert shown("a\n{% for p in posts %}\n- [{{ p.title }}]({{ p.url }})\n{% endfor %}\nb") == [
        "a",
        "b",
    ]


def test_highlighted_code_becomes_a_fence_and_is_untouched():
    text = "{% highlight ruby %}\nputs {{ x }} <b>\n{% endhighlight %}\n\nText {{ a.b }}."
    assert cleaned(text) == "```ruby\nputs {{ x }} <b>\n```\n\nText b."


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Press <kbd>Ctrl</kbd>+<kbd>C</kbd>.", "Press Ctrl+C."),
        ("Street 1<br>London<br/>UK", "Street 1 London UK"),
        ("10<sup>2</sup> m, CO<sub>2</sub>, 1<sup>st</sup>", "10² m, CO₂, 1st"),
        ('## Costs <a name="costs"></a>', "## Costs"),
        ('<img src="a.png" alt="The blue button" /> opens it.', "The blue button opens it."),
        ('See <a href="x.md" class="b">the <b>page</b></a>.', "See [the page](x.md)."),
        ("<p>One</p><p>Two</p>", "One Two"),
        ("<div class='a > b'>Text</div>", "Text"),
        ('a <span style="color: red">b</span>c', "a bc"),
        ("<script>var x = '<b>';</script>Text<style>p {}</style>", "Text"),
        ("<h2 align='center'>Fees &amp; times</h2>", "## Fees &amp; times"),
        (
            "<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr></table>",
            "a | b; 1 | 2",
        ),
        ("| x | <ul><li>one</li><li>two</li></ul> |", "| x | • one • two  |"),
        ("<Button href='/x'>Buy</Button> now", "Buy now"),
        ('<Card title="Install" description="In a minute" />', "**Install** In a minute"),
        ("a {/* hidden */} b <!-- hidden --> c", "a b c"),
        ("<!-- truncate -->", ""),
        ("One{' '}\ntwo", "One \ntwo"),
    ],
)
def test_html_and_jsx(text, seen):
    assert cleaned(text).strip() == seen


def test_tabs_keep_their_labels_and_their_content_comes_to_the_margin():
    text = """
    import Tabs from '@theme/Tabs';
    import {
      A,
    } from './a';
    export const x = {
      a: [1],
    };

    <Tabs groupId="os" values={[{label: 'Mac', value: 'm'}]}>
      <TabItem value="m" label="Mac">

        1. Open it.
           - really

        ```sh
        <b>$HOME</b>
        ```

      </TabItem>
      <TabItem value="win">Click.</TabItem>
    </Tabs>
    """
    assert shown(text) == [
        "**Mac**",
        "1. Open it.",
        "   - really",
        "```sh",
        "<b>$HOME</b>",
        "```",
        "**win** Click.",
    ]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (":::note My title\n\nText\n\n:::", ["**My title**", "Text"]),
        (":::tip[Try *it*]\nText\n:::", ["**Try *it**", "Text"]),
        ("::::warning\nText\n:::note\nInner\n:::\n::::", ["**Warning**", "Text", "**Note**", "Inner"]),
        ("::: code-group\nText\n:::", ["Text"]),
        ("> [!NOTE]\n> Text", ["> **Note**", "> Text"]),
        ("> [!warning]- Old\n> Text", ["> **Old**", "> Text"]),
        ('!!! warning "Hot!"\n\n    Text\n\n    - one\n\nEnd', ["**Hot!**", "Text", "- one", "End"]),
        ('!!! note ""\n    Text', ["Text"]),
        ("??? note\n    A\n    !!! tip\n        B\nC", ["**Note**", "A", "**Tip**", "B", "C"]),
        ('=== "Mac"\n\n    A\n\n=== "PC"\n\n    B', ["**Mac**", "A", "**PC**", "B"]),
        ("!!! Read this first", ["!!! Read this first"]),
        ("* TOC\n{:toc}\n\n[TOC]\n\nText", ["Text"]),
        ("[//]: # (hidden)\n\nText", ["Text"]),
        ("<details>\n<summary><b>Why?</b></summary>\n\nA\n\n</details>", ["**Why?**", "A"]),
        ("<!--\n```\nhidden\n-->\nText {{ a.b }}", ["Text b"]),
        ("<ol>\n  <li>One</li>\n  <li>Two\n  words</li>\n</ol>", ["1. One", "1. Two words"]),
        ("<div>\n    <p>\n        Text\n    </p>\n</div>", ["Text"]),
        ("<pre><code class=\"language-sh\">\na &lt; b\n</code></pre>", ["```sh", "a < b", "```"]),
    ],
)  # fmt: skip
def test_boxes_and_blocks(text, seen):
    assert shown(text) == seen


def test_an_html_table_becomes_one_of_markdown_if_its_lines_suffice():
    text = """
    <table>
      <tr><th>Size</th><th>Price</th></tr>
      <tr>
        <td>Small</td>
        <td>£1<br>£2 | £3</td>
      </tr>
    </table>
    """
    assert shown(text) == ["| Size | Price |", "| --- | --- |", "| Small | £1 £2 \\| £3 |"]


def test_ids_that_authors_give_to_headings_are_their_anchors():
    found = clean(
        "## One {#first}\n\n## Two\n{: #second .big}\n\n## Three {/* #third */}\n\n"
        'Four { #fourth }\n---\n\n## Five \\{#fifth}\n\n<h2 id="sixth">Six</h2>\n'
    )
    assert found.anchors == {
        0: "first",
        2: "second",
        5: "third",
        7: "fourth",
        10: "fifth",
        12: "sixth",
    }
    assert "#" not in found.text.replace("## ", "")


def test_expressions_are_mdx_only():
    assert cleaned("Version {version} of {props.name}") == "Version {version} of {props.name}"
    assert cleaned("Version {version} of {props.name}", mdx=True) == "Version version of name"
    assert shown("{list.map((x) => (\n  <li>{x}</li>\n))}\n\nText", mdx=True) == ["Text"]


def test_titles_and_summaries_are_cleaned_on_one_line():
    assert clean_text("About {% data variables.product.name %}\n & <b>more</b>") == (
        "About name & more"
    )


PARTS = [
    "{{ a.b }}", "{{", "}}", "{%", "%}", "{% if x %}", "{% else %}", "{% endif %}", "{% raw %}",
    "{% endraw %}", "{% highlight x %}", "{% for a in b %}", "{% endfor %}", "{{< x >}}", "{: .a}",
    "{#id}", "<!--", "-->", "{/*", "*/}", "<div>", "</div>", "<Tabs>", "</Tabs>", "<br>", "<li>",
    "<table>", "<tr><td>", "</table>", "<pre>", "</pre>", "<a href='x'>", "</a>", "<h2>", "</h2>",
    "`", "```", "\n", "\n\n", "\n    ", ":::note", ":::", "!!! note", "> [!NOTE]", "- ", "word",
    '<X a="', '">', "import {", "export const a = {", "|", "===", '=== "x"', "{a", "\\", " ",
]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS), max_size=40), st.booleans())
def test_whatever_comes_no_line_is_lost_or_won(parts, mdx):
    text = "".join(parts)
    found = clean(text, mdx)
    assert found.text.count("\n") == text.count("\n")
    assert all(0 <= line <= text.count("\n") for line in found.anchors)


@given(st.lists(st.sampled_from(["one", "two {% x %}", "<b>three</b>", "{{ 'four' }}", "five\n"])))
def test_words_survive(parts):
    text = " ".join(parts)
    expected = re.findall(r"one|two|three|four|five", text)
    assert re.findall(r"\w+", clean(text).text) == expected


@pytest.mark.parametrize(
    "part",
    ["{{", "{%", "<a ", "<a href=x>", "<div>", "<table><tr><td>", "<!--", "{/*", "`", "<li>", "<h2>",
     "{% if x %}{% else %}", "{% raw %}", "<pre>\n", "export const x = {\n\n", "<a {", "<a \"", "{: ",
     ":::note\n", "> [!NOTE]\n", "!!! note\n    ", "{{ x }} ", "</p>", "``` "],
)  # fmt: skip
def test_time_grows_with_the_text_only(part):
    """Four times the text may take some eight times as long, but not sixteen."""

    def seconds(size: int) -> float:
        text = part * (size // len(part))
        taken = []
        for _ in range(2):  # the better of two: other processes take from the caches
            start = time.process_time()
            clean(text)
            taken.append(time.process_time() - start)
        return min(taken)

    clean(part)
    assert seconds(160_000) < 8 * seconds(40_000) + 0.2


@pytest.mark.parametrize(
    "line",
    [
        "export default x{0}y", "export default x(){0}y", "import a{0}from{0}x", "<pre>{0}x</pre>",
        "<pre>\nx\n{0}y</pre>", "{{% x {0}", "{{% x a{0}= %}}", "<a b{0}c=x>", "<a href{0}=x>y</a>",
        "!!! note{0}x\n    y", ":::note{0}{{x}}{0}y", "> [!NOTE]{0}x", "{{: #a{0}b}}", "{{#a{0}",
        "{{:toc}}{0}x", "[AUTOTITLE](a{0}b", "<table>{0}<tr>{0}<td>{0}</table>", "**a{0}b**",
        "{{{{ a{0}| default:{0}x }}}}", "<sup>{0}</sup>", "<!--{0}", "`{0}`", "<summary>{0}</summary>",
    ],
)  # fmt: skip
@pytest.mark.parametrize("filling", [" ", "a", "a-", "\n", " \n", "/", "(", "{", '"', "|", "`"])
def test_no_filling_makes_it_slow(line, filling):
    text = line.format(filling * 30_000)
    start = time.process_time()
    found = clean(text, mdx=True)
    assert time.process_time() - start < 2
    assert found.text.count("\n") == text.count("\n")
