# Opens the workbooks of a folder with openpyxl and saves them into another folder:
#   python3 resave.py from to
import os
import sys

import openpyxl

source, target = sys.argv[1:]
for name in os.listdir(source):
    openpyxl.load_workbook(os.path.join(source, name)).save(os.path.join(target, name))
