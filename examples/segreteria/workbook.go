package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/uuid"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/outfile"
	"github.com/flussi-go/flussi/examples/internal/sheets"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/noticeexcel"
)

// mistyped are the cells that the office gets wrong at first.
var mistyped = map[string]any{
	"A5":  "MSCMHL68P18H21", // a fiscal code that was cut off
	"G8":  "1.000",          // a thousand, or one?
	"E11": 3,                // an instalment that the event does not have
}

// fillIn writes the template as the office fills it in.
func (o *office) fillIn(ctx context.Context, name string) error {
	if err := write(name, func(w io.Writer) error { return o.template.Blank(ctx, w) }); err != nil {
		return err
	}
	return sheets.Edit(name, func(book *excelize.File, sheet string) (err error) {
		for i, who := range pupils {
			discount := ""
			if i == 2 {
				discount = "20,00"
			}
			row := []any{pupil(i).Reveal(), who, "", parent(i).Reveal(), "", "", discount, "", fmt.Sprintf("GITA-%02d", i+1)}
			err = errors.Join(err, book.SetSheetRow(sheet, fmt.Sprintf("A%d", i+2), &row))
		}
		for cell, value := range mistyped {
			err = errors.Join(err, book.SetCellValue(sheet, cell, value))
		}
		return err
	})
}

// correct mends what the report said was wrong.
func (o *office) correct(name string) error {
	return sheets.Edit(name, func(book *excelize.File, sheet string) error {
		return errors.Join(
			book.SetCellStr(sheet, "A5", pupil(3).Reveal()),
			book.SetCellStr(sheet, "G8", "10,00"),
			book.SetCellStr(sheet, "E11", ""),
		)
	})
}

// addFrom makes the notices of an event from a workbook, and returns what to tell the office. A copy
// with the errors marked is written where there are any.
func (o *office) addFrom(ctx context.Context, event uuid.UUID, name, marked string) (_ pagoinrete.AddReport, told string, _ error) {
	file, err := os.Open(name)
	if err != nil {
		return pagoinrete.AddReport{}, "", err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return pagoinrete.AddReport{}, "", err
	}
	var report excel.Report
	added, err := o.AddNotices(ctx, assistant, event, o.template.Rows(ctx, file, info.Size(), &report), pagoinrete.AddConfig{})
	if errors.Is(err, flussi.ErrRows) {
		err = errors.Join(err, write(marked, func(w io.Writer) error { return o.template.Annotate(ctx, w, file, info.Size(), &report, added) }))
	}
	return added, noticeexcel.Italian(&report, added, 0), err
}

// write makes a new file whole, or not at all. It is for its owner alone: it holds personal data.
func write(name string, content func(io.Writer) error) error {
	outfile.Sweep(filepath.Dir(name))
	return outfile.Write(name, false, content)
}
