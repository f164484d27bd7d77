// Opens the workbooks of a folder with a JavaScript library and saves them into another folder:
//   node resave.cjs exceljs|xlsx from to
const fs = require("fs");
const path = require("path");
const [library, from, to] = process.argv.slice(2);

const resave = {
  async exceljs(source, target) {
    const { Workbook } = require("exceljs");
    const book = new Workbook();
    await book.xlsx.readFile(source);
    await book.xlsx.writeFile(target);
  },
  async xlsx(source, target) {
    const XLSX = require("xlsx");
    XLSX.writeFile(XLSX.readFile(source, { cellNF: true }), target, { compression: true });
  },
};

(async () => {
  for (const name of fs.readdirSync(from)) {
    await resave[library](path.join(from, name), path.join(to, name));
  }
})();
