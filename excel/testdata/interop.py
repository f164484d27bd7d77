# Makes the workbooks of openpyxl and of gnumeric from rows.json:
#   apt-get install python3-openpyxl gnumeric && /usr/bin/python3 interop.py
import datetime
import json
import os
import subprocess

import openpyxl

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "rows.json"), encoding="utf-8") as file:
    rows = json.load(file)

book = openpyxl.Workbook()
sheet = book.active
sheet.append(["C.F. Dest.", "Oggetto", "Contenuto", "Data scadenza", "Importo", "NAV", "Paga dopo la scadenza", "Priorità", "Canale", "Riferimento"])
for number, r in enumerate(rows, 2):
    sheet.append([r["code"], None, None, None, r["cents"] / 100 if r["cents"] else None, r["number"] or None, r["late"], r["priority"], r["channel"] or None, None])
    for column, text in ((2, r["subject"]), (3, r["content"]), (10, r["reference"])):
        if text:
            cell = sheet.cell(number, column)
            cell.value = text
            cell.data_type = "s"  # a text that begins with = is no formula
    if r["due"]:
        sheet.cell(number, 4).value = datetime.date.fromisoformat(r["due"])
        sheet.cell(number, 4).number_format = "dd/mm/yyyy"
sheet.auto_filter.ref = sheet.dimensions
sheet.freeze_panes = "A2"
saved = os.path.join(here, "openpyxl.xlsx")
book.save(saved)
subprocess.run(["ssconvert", "--export-type=Gnumeric_Excel:xlsx2", saved, os.path.join(here, "gnumeric.xlsx")], check=True)
