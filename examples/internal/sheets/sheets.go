// Package sheets changes workbooks as an office does.
package sheets

import (
	"errors"

	"github.com/xuri/excelize/v2"
)

// Edit changes the first sheet of a workbook, and saves it if that succeeds.
func Edit(name string, change func(book *excelize.File, sheet string) error) error {
	book, err := excelize.OpenFile(name)
	if err != nil {
		return err
	}
	err = change(book, book.GetSheetName(0))
	if err == nil {
		err = book.Save()
	}
	return errors.Join(err, book.Close())
}
