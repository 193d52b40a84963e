# Makes the workbooks of this folder that other programs' libraries write: pip install openpyxl xlsxwriter odfpy, then python3 books.py
# here. What only few programs write is made by the tests themselves.
import datetime

import openpyxl
import xlsxwriter
from odf.opendocument import OpenDocumentSpreadsheet
from odf.style import Style, TableColumnProperties
from odf.table import CoveredTableCell, Table, TableCell, TableColumn, TableRow
from odf.text import A, P, S, Span

HEADINGS = ["identifier", "name", "founded_on", "member_count", "postcode", "share"]
DAY = datetime.date(2024, 4, 3)


def by_openpyxl():
    book = openpyxl.Workbook()
    book.active.title = "Llista — 1"
    book.active.append(HEADINGS)
    book.active.append(["007", "Café “Ñandú”\n東京", DAY, 12, "02138", 0.125])
    book.active.append(["A2", "=1+1", datetime.datetime(2024, 4, 3, 10, 30), 1.5, "E2 0DP", None])
    book.active.append([None] * 6)
    book.active.append(["A3", "'quoted", datetime.time(9, 5), True, None, "#N/A"])
    book.active["F2"].number_format = "0.0%"
    book.active["B3"].data_type = "s"
    # It writes formulas, and leaves their results empty.
    book.active["E5"] = "=D2*2"
    book.active.merge_cells("A7:C7")
    book.active["A7"] = "Total: 3"
    book.active.column_dimensions["C"].hidden = True
    book.save("by-openpyxl.xlsx")


def by_xlsxwriter():
    # One row at a time is how large exports are written: their texts stand in the cells.
    book = xlsxwriter.Workbook("by-xlsxwriter.xlsx", {"constant_memory": True, "default_date_format": "[$-C0A]dd/mm/yyyy"})
    sheet = book.add_worksheet("List")
    bold, money = book.add_format({"bold": True}), book.add_format({"num_format": '#,##0.00 "€"'})
    sheet.write_row(0, 0, HEADINGS + ["paid", "sum", "link"])
    sheet.write_string(1, 0, "007")
    sheet.write_rich_string(1, 1, "Sol ", bold, "i", " Vent")
    sheet.write_datetime(1, 2, datetime.datetime(2024, 4, 3))
    sheet.write_number(1, 3, 12)
    sheet.write_string(1, 4, "02138")
    sheet.write_number(1, 5, 1234.5, money)
    sheet.write_boolean(1, 6, True)
    sheet.write_formula(1, 7, "=D2*2", None, 24)
    sheet.write_url(1, 8, "https://sol.example/", None, "Sol i Vent")
    sheet.write_formula(2, 0, '="A"&2', None, "A2")
    sheet.write_string(2, 1, "  padded ")
    sheet.write_number(2, 2, 45385.4375, book.add_format({"num_format": "d mmm yyyy hh:mm"}))
    sheet.write_formula(2, 7, "=1/0", None, "#DIV/0!")
    sheet.write_blank(1_000_000, 12_000, None, bold)
    book.close()


def by_xlsxwriter_1904():
    book = xlsxwriter.Workbook("by-xlsxwriter-1904.xlsx", {"date_1904": True, "default_date_format": "d.m.yy"})
    book.add_worksheet("About").write(0, 0, "Made by hand, ask Rosa")
    hidden = book.add_worksheet("Old")
    hidden.write_row(0, 0, ["identifier", "name"])
    hidden.write_row(1, 0, ["X", "gone"])
    hidden.hide()
    sheet = book.add_worksheet("List")
    sheet.merge_range(0, 0, 0, 2, "Members of the union", book.add_format({"align": "center"}))
    sheet.write_row(2, 0, HEADINGS[:3])
    sheet.write_row(3, 0, ["A1", "One"])
    sheet.write_datetime(3, 2, datetime.datetime(2024, 4, 3))
    sheet.write_row(4, 0, ["A2", "Two"])
    sheet.write_datetime(4, 2, datetime.datetime(2024, 4, 3, 23, 59, 59))
    book.close()


def by_odfpy():
    book = OpenDocumentSpreadsheet()
    wide = Style(name="wide", family="table-column")
    wide.addElement(TableColumnProperties(columnwidth="4cm"))
    book.automaticstyles.addElement(wide)
    table = Table(name="List")
    table.addElement(TableColumn(stylename=wide, numbercolumnsrepeated=6))

    def cell(row, text=None, **attributes):
        cell = TableCell(**attributes)
        for line in [] if text is None else text.split("\n"):
            cell.addElement(P(text=line))
        row.addElement(cell)
        return cell

    heading = TableRow()
    for text in HEADINGS:
        cell(heading, text, valuetype="string")
    table.addElement(heading)
    row = TableRow()
    cell(row, "007", valuetype="string")
    linked = cell(row, None, valuetype="string")
    paragraph = P(text="Sol")
    paragraph.addElement(S(c=2))
    paragraph.addElement(A(href="https://sol.example/", text="i"))
    paragraph.addElement(Span(text=" Vent"))
    linked.addElement(paragraph)
    cell(row, "3 abr. 24", valuetype="date", datevalue="2024-04-03")
    cell(row, "12", valuetype="float", value="12")
    cell(row, "02138", valuetype="string")
    cell(row, "12,5 %", valuetype="percentage", value="0.125")
    table.addElement(row)
    again = TableRow(numberrowsrepeated=2)
    cell(again, "A2", valuetype="string")
    cell(again, "two\nlines", valuetype="string", numbercolumnsrepeated=2)
    table.addElement(again)
    merged = TableRow()
    cell(merged, "A3", valuetype="string")
    cell(merged, "Three", valuetype="string", numbercolumnsspanned=2, numberrowsspanned=1)
    merged.addElement(CoveredTableCell())
    cell(merged, None, numbercolumnsrepeated=1000)
    table.addElement(merged)
    empty = TableRow(numberrowsrepeated=1_048_000)
    cell(empty, None, numbercolumnsrepeated=16384)
    table.addElement(empty)
    book.spreadsheet.addElement(table)
    book.save("by-odfpy.ods")


by_openpyxl()
by_xlsxwriter()
by_xlsxwriter_1904()
by_odfpy()
