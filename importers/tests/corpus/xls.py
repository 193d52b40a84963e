# Makes the .xls files of this folder: pip install xlwt, then python3 xls.py here.
import datetime
import xlwt

day, moment, padded = (xlwt.easyxf(num_format_str=code) for code in ("dd/mm/yyyy", "yyyy-mm-dd hh:mm", "00000"))


def kinds(name, dates_1904):
    book = xlwt.Workbook(encoding="utf-8")
    book.dates_1904 = dates_1904
    book.add_sheet("Codes").visibility = 1
    book.get_sheet(0).write(0, 0, "code")
    sheet = book.add_sheet("Llista — 1")
    for at, heading in enumerate(["identifier", "name", "sum", "day", "moment", "yes", "postcode", "half", "hundredth"]):
        sheet.write(1, at, heading)
    sheet.write(2, 0, "007")
    sheet.write(2, 1, "Café “Ñandú”\n東京")
    sheet.write(2, 2, 0.1 + 0.2)
    sheet.write(2, 3, datetime.date(2024, 4, 3), day)
    sheet.write(2, 4, datetime.datetime(2024, 4, 3, 10, 30), moment)
    sheet.write(2, 5, True)
    sheet.write(2, 6, 2138, padded)
    sheet.write(2, 7, 0.5)
    sheet.write(2, 8, 12.34)
    sheet.write(4, 0, "A2")
    sheet.write(4, 2, -7)
    sheet.write_merge(5, 5, 0, 2, "A3")
    book.active_sheet = 1
    book.save(name)


def long_texts():
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("List")
    for at, heading in enumerate(["identifier", "name"]):
        sheet.write(0, at, heading)
    for row in range(1, 4):
        sheet.write(row, 0, "A%d" % row)
        sheet.write(row, 1, ("é%d " % row) * 700 + "→")
    book.save("texts-over-records.xls")


kinds("kinds.xls", False)
kinds("date1904.xls", True)
long_texts()
