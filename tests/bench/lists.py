"""Makes the lists that the benchmark reads: the same seed, the same bytes. Python's standard library only.

    python3 lists.py opportunities FILE [ROWS] [SEED]
    python3 lists.py members FILE [ROWS] [SEED]     one row in a hundred is wrong, each in one way
    python3 lists.py workbook FILE [ROWS] [SEED]    the same members as an xlsx, as a spreadsheet program saves them
"""

import csv
import datetime
import random
import sys
import xml.sax.saxutils
import zipfile

CATEGORIES = "job board-seat volunteering apprenticeship procurement grant training event loan land equipment partnership".split()
COUNTRIES = "GB US CA FR DE ES IT NL BE PT IE SE DK FI PL AR BR KE IN KR".split()
CITIES = "Alder Birch Cedar Dogwood Elm Fir Gorse Hazel Ivy Juniper Larch Maple Oak Pine Quince Rowan Spruce Teak Willow Yew".split()
NOUNS = """account apple assembly bakery barn basket beam bicycle board boat bread bridge cable care carpenter cellar chair cheese
clinic cloth coffee compost cook cotton dairy desk driver fence field film fishery flour forge forest garden glass grain granary
grove harbour harvest hedge hive honey insulation kiln kitchen ladder lamp lathe ledger library linen loom market meadow mill mortar
nursery oar orchard oven paper pasture plough pottery press printer pump quarry repair roof rope saddle sail saw school seed shed
sheep shelf shop spade stable stone studio tailor theatre thread tile timber tool training turbine union vault vineyard wagon
warehouse water weaver well wheel willow wind wool workshop yard""".split()
GIVEN = "Aina Bram Carme Dov Elif Fay Goran Hana Ines Jory Kofi Lena Mira Nils Oona Pau Rhys Sena Tove Ugo Vera Wim Zoé Ángel Łucja".split()
FAMILY = "Adeyemi Bauer Costa Dubois Eriksen Ferrer Gray Hassan Ito Jansen Kovač Lind Moreau Nguyen O'Dea Park Quist Rossi Sáez Tan Ünal Voss".split()

OPPORTUNITY = (
    "id title description category organization city country lat lon contact_email contact_phone salary_min salary_max starts_on "
    "ends_on status updated_at"
).split()
MEMBER = (
    "member_id given_name family_name email phone joined_on membership_type status postcode city country shares consent_directory notes"
).split()


def day(random_, first_year, last_year):
    first, last = datetime.date(first_year, 1, 1), datetime.date(last_year, 12, 31)
    return (first + datetime.timedelta(days=random_.randrange((last - first).days))).isoformat()


def phone(random_):
    return f"+44{random_.randrange(10**9, 10**10)}"


def opportunity(random_, number):
    """One row, its id included."""
    lowest = random_.randrange(18_000, 60_000, 500)
    house = random_.randrange(500)
    return [
        number,
        " ".join(random_.choices(NOUNS, k=5)).capitalize(),
        " ".join(random_.choices(NOUNS, k=40)) + ".",
        random_.choice(CATEGORIES),
        f"{NOUNS[house % len(NOUNS)].capitalize()} Co-op {house}",
        random_.choice(CITIES),
        random_.choice(COUNTRIES),
        round(random_.uniform(-55, 65), 5),
        round(random_.uniform(-120, 140), 5),
        f"desk{number}@coop{house}.example.org",
        phone(random_),
        lowest,
        lowest + random_.randrange(0, 20_000, 500),
        day(random_, 2025, 2026),
        day(random_, 2027, 2028),
        random_.choices(["open", "closed", "draft"], weights=[70, 20, 10])[0],
        f"{day(random_, 2025, 2026)}T{random_.randrange(24):02d}:{random_.randrange(60):02d}:00Z",
    ]


def member(random_, number):
    """One row without a mistake."""
    given, family = random_.choice(GIVEN), random_.choice(FAMILY)
    note = " ".join(random_.choices(NOUNS, k=random_.randrange(2, 9))) if random_.random() >= 0.6 else ""
    if note and random_.random() < 0.1:
        note += ', said "so", twice'
    return [
        f"M{number:08d}",
        given,
        family,
        f"member.{number}@post{number % 97}.example.org",
        phone(random_) if random_.random() < 0.8 else "",
        day(random_, 1995, 2025),
        random_.choice(["worker", "consumer", "producer", "housing", "supporter"]),
        random_.choices(["active", "lapsed", "pending", "resigned"], weights=[80, 10, 7, 3])[0],
        f"{random_.choice('ABDGH')}{random_.choice('LMNR')}{random_.randrange(1, 29)} {random_.randrange(1, 10)}XY",
        random_.choice(CITIES),
        random_.choice(COUNTRIES),
        random_.randrange(1, 500),
        # Who says no is in no share: then there would be less to measure.
        "true",
        note,
    ]


def spoil(random_, row):
    """Makes one mistake in a member's row. A word of the co-op's own in a free-text column is none, and is made all the same."""
    mistake = random_.choice(["date", "email", "missing", "word"])
    if mistake == "date":
        row[5] = random_.choice(["2023-02-30", "31/12/2019", "2021-13-01", "yesterday"])
    elif mistake == "email":
        row[3] = random_.choice(["not-an-email", "a@@b.example", "someone@", "@example.org"])
    elif mistake == "missing":
        row[random_.choice([1, 2, 6, 10])] = ""
    else:
        row[random_.choice([6, 7])] = random_.choice(["vip", "unknown", "Gold"])


def write_opportunities(path, rows=100_000, seed=20, first=1):
    random_ = random.Random(f"opportunities {seed} {first}")
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(OPPORTUNITY)
        out.writerows(opportunity(random_, number) for number in range(first, first + rows))


def members(rows, seed):
    random_ = random.Random(f"members {seed}")
    wrong = set(random_.sample(range(1, rows + 1), rows // 100))
    for number in range(1, rows + 1):
        row = member(random_, number)
        if number in wrong:
            spoil(random_, row)
        yield row


def write_members(path, rows=1_000_000, seed=21):
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(MEMBER)
        out.writerows(members(rows, seed))


OOXML = "http://schemas.openxmlformats.org"
# Every part but the sheet and its texts. Style 1 is a day, style 2 a number with two places.
PARTS = {
    "[Content_Types].xml": f'''<Types xmlns="{OOXML}/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>
<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>
<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>
</Types>''',
    "_rels/.rels": f'''<Relationships xmlns="{OOXML}/package/2006/relationships">
<Relationship Id="rId1" Type="{OOXML}/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/>
</Relationships>''',
    "xl/workbook.xml": f'''<workbook xmlns="{OOXML}/spreadsheetml/2006/main" xmlns:r="{OOXML}/officeDocument/2006/relationships">
<sheets><sheet name="Members" sheetId="1" r:id="rId1"/></sheets></workbook>''',
    "xl/_rels/workbook.xml.rels": f'''<Relationships xmlns="{OOXML}/package/2006/relationships">
<Relationship Id="rId1" Type="{OOXML}/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>
<Relationship Id="rId2" Type="{OOXML}/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/>
<Relationship Id="rId3" Type="{OOXML}/officeDocument/2006/relationships/styles" Target="styles.xml"/>
</Relationships>''',
    "xl/styles.xml": f'''<styleSheet xmlns="{OOXML}/spreadsheetml/2006/main">
<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>
<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>
<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>
<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="2" applyNumberFormat="1"/></cellXfs>
</styleSheet>''',
}


def cell(place, value, texts):
    """One cell: a day as a number with a style, a text by its number among the texts; nothing for one without a value."""
    if value == "":
        return ""
    if isinstance(value, int):
        return f'<c r="{place}" s="2"><v>{value}</v></c>'
    if value in ("true", "false"):
        return f'<c r="{place}" t="b"><v>{int(value == "true")}</v></c>'
    try:
        days = (datetime.date.fromisoformat(value) - datetime.date(1899, 12, 30)).days if value[4:5] == "-" else None
    except ValueError:
        days = None
    if days is not None:
        return f'<c r="{place}" s="1"><v>{days}</v></c>'
    return f'<c r="{place}" t="s"><v>{texts.setdefault(value, len(texts))}</v></c>'


def write_workbook(path, rows=100_000, seed=21):
    texts = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, part in PARTS.items():
            book.writestr(name, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + part)
        with book.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f'<worksheet xmlns="{OOXML}/spreadsheetml/2006/main"><sheetData>'.encode())
            for number, row in enumerate([MEMBER, *members(rows, seed)], 1):
                cells = "".join(cell(f"{chr(65 + at)}{number}", value, texts) for at, value in enumerate(row))
                sheet.write(f'<row r="{number}" spans="1:{len(row)}">{cells}</row>'.encode())
            sheet.write(b"</sheetData></worksheet>")
        with book.open("xl/sharedStrings.xml", "w") as strings:
            strings.write(f'<sst xmlns="{OOXML}/spreadsheetml/2006/main" uniqueCount="{len(texts)}">'.encode())
            for text in texts:
                strings.write(f"<si><t>{xml.sax.saxutils.escape(text)}</t></si>".encode())
            strings.write(b"</sst>")


if __name__ == "__main__":
    kind, path, *numbers = sys.argv[1:]
    kinds = {"opportunities": write_opportunities, "members": write_members, "workbook": write_workbook}
    kinds[kind](path, *map(int, numbers))
