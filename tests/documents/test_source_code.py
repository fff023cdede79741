"""Source code and configuration."""
# ruff: noqa: E501

import pytest

from rag_platform.documents.chunking import ChunkingSpec, split
from rag_platform.documents.parsing import ParsedDocument, media_type_of, parse

SOURCES = {
    "a.py": "class Duck:\n    def swim(self):\n        pass\n\nasync def main():\n    pass\n",
    "a.java": "public class Duck<T> {\n    public Duck(int n) {\n        if (n > 3) {\n        }\n    }"
    "\n    public List<String> swim(Pond p) throws X {\n    }\n}\n",
    "a.cs": "namespace Pond\n{\n    public class Duck\n    {\n        public void Swim(int n)\n"
    "        {\n            Eat(n);\n        }\n    }\n}\n",
    "a.go": "type Duck struct {\n}\n\nfunc (d *Duck) Swim(p Pond) error {\n}\n",
    "a.rs": "pub struct Duck { n: u8 }\nimpl Bird for Duck {\n    pub fn swim(&self) {\n    }\n}\n",
    "a.c": "static int *swim(struct duck *d,\n    int n)\n{\n  if (n) {\n  }\n}\nint proto(void);\n",
    "a.cpp": "class Duck : public Bird {\n  int swim() const {\n  }\n};\nint Duck::eat(int n) {\n}\n",
    "a.ts": "export default class Duck {\n  async swim(p: Pond) {\n    if (p) {\n    }\n  }\n}\n"
    "export const eat = async (n: number): Promise<void> => {\n}\n",
    "a.sql": 'CREATE TABLE IF NOT EXISTS ducks (\n id int\n);\ncreate view "v" as select 1;\n',
    "a.sh": "#!/bin/sh\nswim() {\n  x\n}\nfunction eat {\n}\n",
    "a.yaml": "ducks:\n  swim: yes\nponds:\n  - one\n",
    "a.toml": "[ducks]\nswim = 1\n[[ponds]]\n",
}
DEFINITIONS = {
    "a.py": [(1, "class Duck"), (2, "def swim"), (1, "def main")],
    "a.java": [(1, "class Duck"), (2, "Duck"), (2, "swim")],
    "a.cs": [(1, "namespace Pond"), (2, "class Duck"), (3, "Swim")],
    "a.go": [(1, "type Duck"), (1, "func Swim")],
    "a.rs": [(1, "struct Duck"), (1, "impl Bird for Duck"), (2, "fn swim")],
    "a.c": [(1, "swim")],
    "a.cpp": [(1, "class Duck"), (2, "swim"), (1, "Duck::eat")],
    "a.ts": [(1, "class Duck"), (2, "swim"), (1, "eat")],
    "a.sql": [(1, "TABLE ducks"), (1, "view v")],
    "a.sh": [(1, "swim"), (1, "eat")],
    "a.yaml": [(1, "ducks"), (1, "ponds")],
    "a.toml": [(1, "ducks"), (1, "ponds")],
}


def read(name: str, text: str) -> ParsedDocument:
    return parse(text.encode(), name)


@pytest.mark.parametrize("name", SOURCES)
def test_definitions_are_headings_within_each_other(name: str) -> None:
    document = read(name, SOURCES[name])
    assert [(heading.level, heading.title) for heading in document.headings] == DEFINITIONS[name]
    for heading in document.headings:
        line = document.text[heading.start :].split("\n")[0]
        assert heading.title.split()[-1] in line
        assert heading.start == 0 or document.text[heading.start - 1] == "\n"


def test_indentation_and_blank_lines_stay_as_they_are() -> None:
    text = "def f():\n\tx  =  1\n\n\n\n    # a\n        y = '```'\n  \nz = 1"
    assert read("a.py", text.replace("\n", "\r\n")).text == text


def test_a_passage_knows_its_class_and_function(tokenizer) -> None:
    body = "".join(f"        self.value_{n} = compute({n})\n" for n in range(60))
    text = f"class Duck:\n    def swim(self):\n{body}    def eat(self):\n{body}"
    passages = split(read("a.py", text), ChunkingSpec(max_tokens=200), tokenizer)
    assert passages[1].heading_path == ("class Duck", "def swim")
    assert passages[-1].heading_path == ("class Duck", "def eat")


def test_the_media_type_names_the_language() -> None:
    assert read("a.py", "x = 1").media_type == "text/x-python"
    assert read("src/Makefile", "all:\n\tcc").media_type == "text/x-makefile"
    assert media_type_of("tool", b"#!/usr/bin/env python3\n") == "text/x-python"
    assert media_type_of("tool", b"#!/bin/bash\n") == "text/x-shellscript"


def test_the_language_is_that_of_the_comments() -> None:
    code = "for item in the_items:\n    print_the_value(item)\n" * 30
    assert read("a.py", code).language is None
    comment = "# Diese Funktion liest alle Zeilen und gibt die letzte zurück.\n"
    assert read("a.py", comment + code).language == "de"


def test_source_code_has_no_title() -> None:
    assert read("a.py", '"""A module."""\n').title is None


def test_entities_of_xml_are_not_expanded() -> None:
    bomb = '<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1 or str()};" * 10}">' for n in range(1, 20)
    )
    assert read("a.xsd", f"{bomb}]>\n<a>&a19;</a>").text == f"{bomb}]>\n<a>&a19;</a>"


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.timeout(60)
def test_lines_made_to_take_time_take_none(name: str) -> None:
    for unit in (
        "a ",
        "*&",
        "a* ",
        "(",
        "public ",
        " ",
        "a.b<",
        "const a = (",
        "create or replace ",
    ):
        line = f"  {unit * (390 // len(unit))}\n{unit * (390 // len(unit))}\n"
        assert read(name, line * 40 + "\nend")
    assert read(name, "x" * 500_000 + "\n" * 100_000 + "end")
