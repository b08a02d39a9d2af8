"""The half-year report as a document to sign: the page of GB/T 9704, its fonts, and charts that stay charts.

A4 with margins of 37, 35, 28 and 26 mm, a fixed line pitch, body in 三号仿宋 with an indent of two characters, page
numbers outside as — 1 —. A draft says on every page that it is one.
"""

from __future__ import annotations

import io
import itertools
from typing import TYPE_CHECKING, Any

from halfyear.publishing.report import drawing
from halfyear.publishing.report.document import (
    Chart,
    Column,
    Document,
    Heading,
    PageBreak,
    Paragraph,
    Signature,
    Table,
    cell_text,
)
from halfyear.settings import LOCAL_ZONE

if TYPE_CHECKING:
    from docx.document import Document as DocxDocument
    from docx.section import Section
    from docx.text.paragraph import Paragraph as DocxParagraph

# Fonts of GB/T 9704; the name after it is what a computer without the first one has.
_TITLE_FONT = "方正小标宋简体"
_HEITI = "黑体"
_KAITI = "楷体_GB2312"
_FANGSONG = "仿宋_GB2312"
_SONGTI = "宋体"
_INSTEAD = {_TITLE_FONT: "华文中宋", _KAITI: "楷体", _FANGSONG: "仿宋"}
_LATIN = "Times New Roman"

_BODY_PT = 16.0  # 三号
_TITLE_PT = 22.0  # 二号
_CAPTION_PT = 10.5  # 五号
_CELL_PT = 10.0
_NOTE_PT = 9.0  # 小五
_PAGE_NUMBER_PT = 14.0  # 四号
_LINE_PT = 28.95
_TEXT_WIDTH_MM = 210 - 28 - 26
_KEPT_ROWS = 8
_MARK_COLOUR = "C00000"

_CHART = "application/vnd.openxmlformats-officedocument.drawingml.chart+xml"
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_DRAWING = """<w:drawing xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
    xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"
    xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"
    xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">
  <wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="{width}" cy="{height}"/>
    <wp:docPr id="{number}" name="chart {number}"/><wp:cNvGraphicFramePr/>
    <a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/chart"><c:chart r:id="{relation}"/>
    </a:graphicData></a:graphic></wp:inline></w:drawing>"""
_WATERMARK = """<w:pict xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office">
  <v:shapetype id="_x0000_t136" coordsize="21600,21600" o:spt="136" adj="10800"
      path="m@7,l@8,m@5,21600l@6,21600e">
    <v:formulas><v:f eqn="sum #0 0 10800"/><v:f eqn="prod #0 2 1"/><v:f eqn="sum 21600 0 @1"/>
      <v:f eqn="sum 0 0 @2"/><v:f eqn="sum 21600 0 @3"/><v:f eqn="if @0 @3 0"/><v:f eqn="if @0 21600 @1"/>
      <v:f eqn="if @0 0 @2"/><v:f eqn="if @0 @4 21600"/><v:f eqn="mid @5 @6"/><v:f eqn="mid @8 @5"/>
      <v:f eqn="mid @7 @8"/><v:f eqn="mid @6 @7"/><v:f eqn="sum @6 0 @5"/></v:formulas>
    <v:path textpathok="t" o:connecttype="custom" o:connectlocs="@9,0;@10,10800;@11,21600;@12,10800"
      o:connectangles="270,180,90,0"/>
    <v:textpath on="t" fitshape="t"/><v:handles><v:h position="#0,bottomRight" xrange="6629,14971"/></v:handles>
    <o:lock v:ext="edit" text="t" shapetype="t"/>
  </v:shapetype>
  <v:shape id="PowerPlusWaterMarkObject{number}" o:spid="_x0000_s{number}" type="#_x0000_t136"
      style="position:absolute;margin-left:0;margin-top:0;width:300pt;height:150pt;rotation:315;z-index:-251658752;mso-position-horizontal:center;mso-position-horizontal-relative:margin;mso-position-vertical:center;mso-position-vertical-relative:margin"
      o:allowincell="f" fillcolor="#d9d9d9" stroked="f">
    <v:fill opacity=".5"/><v:textpath style="font-family:&quot;黑体&quot;;font-size:1pt" string="草稿"/>
  </v:shape></w:pict>"""


def write(document: Document) -> bytes:
    """The bytes of the document."""
    import docx

    made = docx.Document()
    _styles(made)
    _page(made, document)
    made.core_properties.title = document.title
    made.core_properties.author = document.author
    made.core_properties.created = made.core_properties.modified = document.dated.astimezone(LOCAL_ZONE).replace(
        tzinfo=None
    )
    made.core_properties.language = "zh-CN"
    made.core_properties.comments = document.warning
    charts = 0
    new_page = False
    for block, following in itertools.zip_longest(document.blocks, document.blocks[1:]):
        first: DocxParagraph | None = None
        # No signature stands alone on a page: what is before it comes along.
        is_signed = isinstance(following, Signature)
        match block:
            case Heading(level=1):
                first = made.add_paragraph(block.text, "Title")
            case Heading():
                first = made.add_paragraph(block.text, f"Heading {block.level - 1}")
            case Paragraph():
                first = made.add_paragraph(style="Body Text")
                first.paragraph_format.keep_with_next = is_signed
                for run in block.runs:
                    written = first.add_run(run.text)
                    if run.is_mark:
                        _mark(written)
            case Signature():
                made.add_paragraph(style="Body Text").paragraph_format.keep_with_next = True
                for line in block.lines:
                    made.add_paragraph(line, "Signature").paragraph_format.keep_with_next = line != block.lines[-1]
            case Table():
                first = made.add_paragraph(block.caption, "Caption")
                first.paragraph_format.keep_with_next = True
                _table(made, block, is_signed)
            case Chart():
                charts += 1
                first = made.add_paragraph(style="Chart")
                _chart(made, first, block, charts)
                made.add_paragraph(block.caption, "Caption")
            case PageBreak():
                new_page = True
                continue
        if new_page and first is not None:
            first.paragraph_format.page_break_before = True
            new_page = False
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


# ---------------------------------------------------------------- page and styles


def _page(made: DocxDocument, document: Document) -> None:
    """A4, the margins of GB/T 9704, page numbers outside; the header of a draft on every page."""
    from docx.shared import Mm

    made.settings.odd_and_even_pages_header_footer = True
    section = made.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(37), Mm(35)
    section.left_margin, section.right_margin = Mm(28), Mm(26)
    section.header_distance, section.footer_distance = Mm(20), Mm(25)
    for grid in section._sectPr.findall(_w("docGrid")):
        section._sectPr.remove(grid)
    _footers(section)
    if document.is_draft:
        for number, header in enumerate((section.header, section.even_page_header), start=2049):
            header.is_linked_to_previous = False
            line = header.paragraphs[0]
            line.style = made.styles["Header"]
            line.add_run(document.warning)
            line._p.append(_run_of(_WATERMARK.format(number=number)))


def _footers(section: Section) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    for footer, side in (
        (section.footer, WD_ALIGN_PARAGRAPH.RIGHT),
        (section.even_page_footer, WD_ALIGN_PARAGRAPH.LEFT),
    ):
        footer.is_linked_to_previous = False
        line = footer.paragraphs[0]
        line.alignment = side
        line.paragraph_format.left_indent = line.paragraph_format.right_indent = Pt(_PAGE_NUMBER_PT)
        line.add_run("— ")
        for kind, text in (("begin", ""), ("", "PAGE"), ("separate", ""), ("value", "1"), ("end", "")):
            run = line.add_run()
            if kind in ("begin", "separate", "end"):
                run._r.append(_element("fldChar", fldCharType=kind))
            elif kind == "value":
                run.text = text
            else:
                instruction = _element("instrText")
                instruction.text = text
                run._r.append(instruction)
        line.add_run(" —")


def _styles(made: DocxDocument) -> None:
    """Every style that is used, with its Chinese font; what the library's template brings is taken back."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
    from docx.shared import Pt, RGBColor

    centre, left, right = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.JUSTIFY, WD_ALIGN_PARAGRAPH.RIGHT
    for name in ("Chart", "Table Note", "Table Cell", "Dense Cell", "Signature"):
        made.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH).base_style = made.styles["Normal"]
    # style, font, size, line pitch (None: what is in it), alignment, indent in characters
    plan: tuple[tuple[str, str, float, float | None, Any, int], ...] = (
        ("Normal", _FANGSONG, _BODY_PT, _LINE_PT, left, 0),
        ("Body Text", _FANGSONG, _BODY_PT, _LINE_PT, left, 2),
        ("Title", _TITLE_FONT, _TITLE_PT, 36, centre, 0),
        ("Heading 1", _HEITI, _BODY_PT, _LINE_PT, left, 2),
        ("Heading 2", _KAITI, _BODY_PT, _LINE_PT, left, 2),
        ("Heading 3", _FANGSONG, _BODY_PT, _LINE_PT, left, 2),
        ("Caption", _HEITI, _CAPTION_PT, 18, centre, 0),
        ("Chart", _FANGSONG, _CAPTION_PT, None, centre, 0),
        ("Table Cell", _FANGSONG, _CELL_PT, 15, left, 0),
        ("Dense Cell", _FANGSONG, _NOTE_PT, 12, left, 0),
        ("Table Note", _FANGSONG, _NOTE_PT, 13, left, 0),
        ("Signature", _FANGSONG, _BODY_PT, _LINE_PT, right, 0),
        ("Header", _HEITI, _CAPTION_PT, 14, centre, 0),
        ("Footer", _SONGTI, _PAGE_NUMBER_PT, 18, left, 0),
    )
    for name, font, size, pitch, alignment, indent in plan:
        style: Any = made.styles[name]
        style.font.size, style.font.bold, style.font.italic = Pt(size), False, False
        style.font.color.rgb = RGBColor.from_string(_MARK_COLOUR) if name == "Header" else RGBColor(0, 0, 0)
        style.font.name = _LATIN
        fonts = style.element.rPr.rFonts
        for attribute in [a for a in fonts.attrib if a.endswith("Theme")]:
            del fonts.attrib[attribute]
        fonts.set(_w("eastAsia"), font)
        fonts.set(_w("hAnsi"), _LATIN)
        fonts.set(_w("cs"), _LATIN)
        for spacing in style.element.rPr.findall(_w("spacing")) + style.element.rPr.findall(_w("kern")):
            style.element.rPr.remove(spacing)
        for border in style.element.pPr.findall(_w("pBdr")) if style.element.pPr is not None else ():
            style.element.pPr.remove(border)
        form = style.paragraph_format
        form.alignment = alignment
        form.space_before = form.space_after = Pt(0)
        form.widow_control = True
        form.line_spacing_rule = WD_LINE_SPACING.EXACTLY if pitch else WD_LINE_SPACING.SINGLE
        if pitch:
            form.line_spacing = Pt(pitch)
        if indent:
            form.first_line_indent = Pt(indent * size)
            style.element.pPr.find(_w("ind")).set(_w("firstLineChars"), str(indent * 100))
        form.keep_with_next = name.startswith("Heading") or name in ("Title", "Chart")
    made.styles["Title"].paragraph_format.space_after = Pt(_LINE_PT)
    made.styles["Caption"].paragraph_format.space_before = Pt(6)
    made.styles["Caption"].paragraph_format.space_after = Pt(3)
    made.styles["Table Note"].paragraph_format.space_after = Pt(6)
    made.styles["Chart"].paragraph_format.space_before = Pt(8)
    made.styles["Signature"].paragraph_format.right_indent = Pt(2 * _BODY_PT)
    _alternatives(made)


def _alternatives(made: DocxDocument) -> None:
    """Name in the font table what a computer takes that lacks a font of GB/T 9704."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.opc.oxml import serialize_part_xml
    from docx.oxml import parse_xml

    part = made.part.part_related_by(RELATIONSHIP_TYPE.FONT_TABLE)
    fonts = parse_xml(part.blob)
    for font, instead in _INSTEAD.items():
        entry = _element("font", name=font)
        entry.append(_element("altName", val=instead))
        entry.append(_element("charset", val="86"))
        fonts.append(entry)
    part._blob = serialize_part_xml(fonts)


# ---------------------------------------------------------------- tables


def _table(made: DocxDocument, table: Table, is_signed: bool) -> None:
    """A full grid as wide as the text; the header row is repeated on every page, and no row is torn."""
    from docx.enum.table import WD_TABLE_ALIGNMENT
    from docx.shared import Mm

    whole = sum(column.weight for column in table.columns)
    widths = [Mm(_TEXT_WIDTH_MM * column.weight / whole) for column in table.columns]
    grid = made.add_table(rows=1 + len(table.rows), cols=len(table.columns), style="Table Grid")
    grid.alignment = WD_TABLE_ALIGNMENT.CENTER
    grid.autofit = False
    grid._tbl.tblPr.find(_w("tblLook")).addprevious(_cell_margins())
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = width
    lines = [[column.title for column in table.columns], *([cell_text(c) for c in row] for row in table.rows)]
    # A short table is kept on one page; a long one may break, but never within a row.
    is_kept = len(table.rows) <= _KEPT_ROWS and not table.is_dense
    for number, (row, texts) in enumerate(zip(grid._tbl.tr_lst, lines, strict=True)):
        properties = row.get_or_add_trPr()
        properties.append(_element("cantSplit"))
        if number == 0:
            properties.append(_element("tblHeader"))
        for cell, column, width, text in zip(row.tc_lst, table.columns, widths, texts, strict=True):
            cell.width = width
            line = _write_cell(made, cell, column, text, table.is_dense, is_title=number == 0)
            line.paragraph_format.keep_with_next = number == 0 or (is_kept and (is_signed or number < len(table.rows)))
    for note in table.notes or ("",):
        made.add_paragraph(note, "Table Note").paragraph_format.keep_with_next = is_signed


def _write_cell(
    made: DocxDocument, cell: Any, column: Column, text: str, is_dense: bool, is_title: bool
) -> DocxParagraph:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.text.paragraph import Paragraph as TextParagraph

    places = {
        "left": WD_ALIGN_PARAGRAPH.LEFT,
        "center": WD_ALIGN_PARAGRAPH.CENTER,
        "right": WD_ALIGN_PARAGRAPH.RIGHT,
    }
    properties = cell.get_or_add_tcPr()
    properties.append(_element("vAlign", val="center"))
    line = TextParagraph(cell.p_lst[0], made._body)
    line.style = made.styles["Dense Cell" if is_dense else "Table Cell"]
    line.alignment = places["center" if is_title else column.align]
    before, mark, after = text.partition("［暂定］") if not is_title else (text, "", "")
    run = line.add_run(before)
    if is_title:
        run.font.name = _LATIN
        run._r.rPr.rFonts.set(_w("eastAsia"), _HEITI)  # type: ignore[union-attr]
    if mark:
        _mark(line.add_run(mark + after))
    return line


def _cell_margins() -> Any:
    """Little room beside the text, so that a number and its mark stay on one line."""
    margins = _element("tblCellMar")
    for side, width in (("top", "28"), ("left", "57"), ("bottom", "28"), ("right", "57")):
        margins.append(_element(side, w=width, type="dxa"))
    return margins


def _mark(run: Any) -> None:
    from docx.shared import RGBColor

    run.font.color.rgb = RGBColor.from_string(_MARK_COLOUR)


# ---------------------------------------------------------------- charts


def _chart(made: DocxDocument, paragraph: DocxParagraph, chart: Chart, number: int) -> None:
    """A chart in its own part, as wide as the text, with the workbook of its data behind it."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.opc.oxml import serialize_part_xml
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part
    from docx.oxml import OxmlElement, parse_xml
    from docx.oxml.ns import qn
    from docx.shared import Cm, Mm

    xml, workbook = drawing.part(chart)
    package = made.part.package
    data = Part(PackURI(f"/word/embeddings/chart{number}.xlsx"), _WORKBOOK, workbook, package)
    drawn = Part(PackURI(f"/word/charts/chart{number}.xml"), _CHART, b"", package)
    space = parse_xml(xml)
    external, update = OxmlElement("c:externalData"), OxmlElement("c:autoUpdate")
    external.set(qn("r:id"), drawn.relate_to(data, RELATIONSHIP_TYPE.PACKAGE))
    update.set("val", "0")
    external.append(update)
    space.append(external)
    drawn._blob = serialize_part_xml(space)
    relation = made.part.relate_to(drawn, RELATIONSHIP_TYPE.CHART)
    height = drawing.height_cm(chart)
    shape = _DRAWING.format(
        number=number, relation=relation, width=int(Mm(_TEXT_WIDTH_MM)), height=int(Cm(min(height, 21)))
    )
    paragraph.add_run()._r.append(parse_xml(shape))


# ---------------------------------------------------------------- elements


def _w(name: str) -> str:
    from docx.oxml.ns import qn

    return qn(f"w:{name}")


def _element(tag: str, **attributes: str) -> Any:
    from docx.oxml import OxmlElement

    made: Any = OxmlElement(f"w:{tag}")
    for key, value in attributes.items():
        made.set(_w(key), value)
    return made


def _run_of(xml: str) -> Any:
    from docx.oxml import parse_xml

    run = _element("r")
    run.append(parse_xml(xml))
    return run
