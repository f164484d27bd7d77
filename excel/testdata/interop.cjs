// Makes the workbooks of two JavaScript spreadsheet libraries from rows.json:
//   npm install --no-save exceljs@4.4.0 xlsx@0.18.5 && node interop.cjs
const fs = require("fs");
const path = require("path");
const here = (name) => path.join(__dirname, name);
const rows = JSON.parse(fs.readFileSync(here("rows.json"), "utf8"));
const headers = ["C.F. Dest.", "Oggetto", "Contenuto", "Data scadenza", "Importo", "NAV", "Paga dopo la scadenza", "Priorità", "Canale", "Riferimento"];
const day = (text) => new Date(text + "T00:00:00Z");

async function excelJS() {
  const ExcelJS = require("exceljs");
  const book = new ExcelJS.Workbook();
  const sheet = book.addWorksheet("Foglio1");
  sheet.mergeCells("A1:J1");
  sheet.getCell("A1").value = "Notifiche da inviare";
  sheet.getRow(3).values = headers;
  rows.forEach((r, i) => {
    const row = sheet.getRow(i + 4);
    row.getCell(1).value = { richText: [{ text: r.code.slice(0, 6) }, { font: { bold: true }, text: r.code.slice(6) }] };
    row.getCell(2).value = r.subject;
    row.getCell(3).value = r.content;
    if (r.due) {
      row.getCell(4).value = day(r.due);
      row.getCell(4).numFmt = "dd/mm/yyyy";
    }
    if (r.cents) row.getCell(5).value = r.cents / 100;
    if (r.number) row.getCell(6).value = r.number;
    row.getCell(7).value = r.late;
    row.getCell(8).value = { formula: `${r.priority}+0`, result: r.priority };
    if (r.channel) row.getCell(9).value = r.channel;
    row.getCell(10).value = r.reference;
  });
  await book.xlsx.writeFile(here("exceljs.xlsx"));
}

function sheetJS() {
  const XLSX = require("xlsx");
  const table = [headers];
  for (const r of rows) {
    table.push([r.code, r.subject, r.content, null, r.cents ? r.cents / 100 : null, r.number || null, r.late ? "Sì" : "No", r.priority, r.channel || null, r.reference]);
  }
  const sheet = XLSX.utils.aoa_to_sheet(table);
  rows.forEach((r, i) => {
    if (r.due) sheet[XLSX.utils.encode_cell({ r: i + 1, c: 3 })] = { t: "n", v: Math.round(day(r.due) / 86400000) + 25569, z: "dd/mm/yyyy" };
  });
  const book = XLSX.utils.book_new();
  XLSX.utils.book_append_sheet(book, sheet, "Sheet1");
  for (const [name, bookSST] of [["sheetjs.xlsx", true], ["sheetjs-inline.xlsx", false]]) {
    XLSX.writeFile(book, here(name), { bookType: "xlsx", bookSST, compression: true });
  }
}

excelJS().then(sheetJS);
