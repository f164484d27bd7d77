package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlementexcel"
)

// maxFaults is how many faults of a file are printed.
const maxFaults = 5

// applyFile applies a file, and prints what it is and what is wrong with it. The error is that of
// printing, or the context's.
func (r *reconciliation) applyFile(ctx context.Context, name string) error {
	told, err := r.apply(ctx, name)
	if ctx.Err() != nil {
		return r.interrupted(ctx)
	}
	if err != nil {
		r.failed++
		told = explainFile(err)
	}
	return r.say("%s: %s\n", cli.Name(filepath.Base(name)), told)
}

// interrupted returns the error of a run that the user interrupted.
func (r *reconciliation) interrupted(ctx context.Context) error {
	text := "Riconciliazione interrotta, e niente è stato conservato. Ripetere il comando con tutti i file."
	if r.due.notices != nil {
		text = "Riconciliazione interrotta. Ripetere il comando con gli stessi file: quelli già applicati non contano due volte."
	}
	return cli.Explained(text, ctx.Err())
}

// explainFile says why a file was not applied.
func explainFile(err error) string {
	switch {
	case errors.Is(err, flussi.ErrForbidden):
		return "il file è destinato a un altro ente, e non è stato applicato."
	case errors.Is(err, os.ErrNotExist):
		return "il file non esiste."
	case errors.Is(err, errFolder):
		return "è una cartella: indicare i file che contiene."
	case errors.Is(err, errNoRows):
		return "le colonne non sono quelle di un modello: si scrivono con il comando modelli."
	case errors.Is(err, os.ErrPermission):
		return "il file non si può leggere."
	}
	return flussi.Explain(err)
}

var (
	errFolder = errors.New("a folder, not a file")
	errNoRows = errors.New("a workbook or a CSV file without the columns of a template")
)

// apply applies a file, and returns what to say about it.
func (r *reconciliation) apply(ctx context.Context, name string) (told string, err error) {
	f, err := cli.Open(ctx, name)
	if err != nil {
		return "", err
	}
	kept := false
	defer func() {
		if !kept {
			err = errors.Join(err, f.Close())
		}
	}()
	again, err := r.given(f)
	if err != nil {
		return "", err
	}
	file, err := paymentfile.Open(f, paymentfile.Config{Body: r.body})
	switch file := file.(type) {
	case *paymentfile.SettlementFile:
		if file.Format() == paymentfile.FormatSettlement {
			return r.applySettlement(ctx, file)
		}
		if again { // otherwise finishFiles would use it twice
			return "il file è uguale a uno già indicato.", nil
		}
		if kept, r.open = true, append(r.open, f); file.Format() == paymentfile.FormatSettlementHeader {
			r.heads = append(r.heads, file)
		} else {
			r.pages = append(r.pages, file)
		}
		return italian.Capital(file.Format().Italian()) + ".", nil
	case *paymentfile.JournalFile:
		return r.applyJournal(ctx, file, again)
	case *paymentfile.ReceiptFile:
		return r.applyReceipt(file), nil
	}
	if !errors.Is(err, paymentfile.ErrFormat) {
		return "", err
	}
	info, statErr := f.Stat()
	if statErr != nil {
		return "", statErr
	}
	switch format, _ := excel.Identify(f, info.Size()); format {
	case excel.Workbook, excel.CSV:
		return r.applyRows(ctx, f, info.Size())
	}
	return "", err
}

// given reports whether an equal file was given before. Pipes are not compared.
func (r *reconciliation) given(f *cli.File) (bool, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return false, err
	case info.IsDir():
		return false, errFolder
	case !info.Mode().IsRegular():
		return false, nil
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return false, err
	}
	digest := [sha256.Size]byte(hash.Sum(nil))
	again := r.files[digest]
	r.files[digest] = true
	_, err = f.Seek(0, io.SeekStart)
	return again, err
}

func (r *reconciliation) applySettlement(ctx context.Context, file *paymentfile.SettlementFile) (string, error) {
	applied, err := r.service.Apply(ctx, assistant, file)
	if err != nil {
		return "", err
	}
	return describe(file.Report()) + appliedBefore(applied), nil
}

func (r *reconciliation) applyJournal(ctx context.Context, file *paymentfile.JournalFile, again bool) (string, error) {
	if _, err := r.service.Apply(ctx, assistant, file); err != nil {
		return "", err
	}
	key := file.Journal().Key()
	pages := r.journals[key]
	if pages == nil {
		pages = &paymentfile.JournalPages{}
		r.journals[key] = pages
	}
	if !again {
		pages.Add(file)
	}
	return describe(file.Report()), nil
}

// applyReceipt notes a receipt.
func (r *reconciliation) applyReceipt(file *paymentfile.ReceiptFile) string {
	receipt, report := file.Receipt(), file.Report()
	if !report.Blocking && (receipt.Outcome == paymentfile.ReceiptPaid || receipt.Outcome == paymentfile.ReceiptPartlyPaid) {
		r.due.receipts[receipt.Reference] = receipt.Amount
	}
	return describe(report)
}

// applyRows applies the rows of a workbook or a CSV file.
func (r *reconciliation) applyRows(ctx context.Context, f *cli.File, size int64) (string, error) {
	content, err := r.template.Recognise(ctx, f, size)
	if err != nil {
		return "", err
	}
	var report excel.Report
	var known []string
	switch content {
	case settlementexcel.ContentSettlements:
		known, err = r.applyPaymentRows(ctx, f, size, &report)
	case settlementexcel.ContentMovements:
		err = r.applyMovementRows(ctx, f, size, &report)
	default:
		return "", errNoRows
	}
	if err != nil && !errors.Is(err, flussi.ErrRows) {
		return "", err
	}
	if err != nil {
		r.failed++ // not as a whole
	}
	told := "Sono righe di un modello.\n" + strings.TrimRight(indent(settlementexcel.Italian(&report, err)), "\n")
	for _, id := range known {
		told += "\n    " + id + ": il flusso era già stato acquisito, in questa revisione o in una più recente. Per correggerlo, scrivere una revisione maggiore."
	}
	return told, nil
}

// applyPaymentRows returns the settlements that change nothing, since they were applied before.
func (r *reconciliation) applyPaymentRows(ctx context.Context, f io.ReaderAt, size int64, report *excel.Report) (known []string, err error) {
	files, refused := r.template.Settlements(ctx, f, size, r.body, report)
	for _, file := range files {
		applied, err := r.service.ApplySettlement(ctx, assistant, file)
		if err != nil {
			return nil, err
		}
		if applied.Unchanged {
			known = append(known, file.Header.ID)
		}
	}
	return known, refused
}

func (r *reconciliation) applyMovementRows(ctx context.Context, f io.ReaderAt, size int64, report *excel.Report) error {
	journals, refused := r.template.Movements(ctx, f, size, r.body, report)
	for _, journal := range journals {
		if _, err := r.service.ApplyJournal(ctx, assistant, journal.Header, journal.Movements); err != nil {
			return err
		}
	}
	return refused
}

// finishFiles applies settlements in JSON, of which all parts are known now, and says which pages
// of journals are missing.
func (r *reconciliation) finishFiles(ctx context.Context) error {
	for _, key := range slices.Sorted(maps.Keys(r.journals)) {
		pages := r.journals[key]
		told := pages.Italian()
		if pages.Journal().Page.Total < 2 || told == "" { // the faults of a single page were shown before
			continue
		}
		if !pages.Complete() {
			told = "incompleto fra i file indicati. " + told
		}
		if err := r.say("Giornale di cassa %s: %s\n", pages.Journal().ID, told); err != nil {
			return err
		}
	}
	if len(r.heads) != 1 && len(r.pages) > 0 {
		r.failed++
		return r.say("Flussi in JSON: le pagine non dicono di quale flusso sono. Indicare i file di un solo flusso in JSON per volta.\n")
	}
	for _, head := range r.heads {
		told, err := r.applyPages(ctx, head)
		if ctx.Err() != nil {
			return r.interrupted(ctx)
		}
		if err != nil {
			r.failed++
			told = explainFile(err)
		}
		if err := r.say("Flusso in JSON %s: %s\n", head.Settlement().ID, told); err != nil {
			return err
		}
	}
	return nil
}

// applyPages applies a settlement in JSON, and returns what to say about it.
func (r *reconciliation) applyPages(ctx context.Context, head *paymentfile.SettlementFile) (string, error) {
	var faults []*paymentfile.Fault
	file := settlement.FileOf(head, r.pages...)
	all := file.Faults
	file.Faults = func() []*paymentfile.Fault {
		faults = all()
		return faults
	}
	applied, err := r.service.ApplySettlement(ctx, assistant, file)
	if err != nil {
		return "", err
	}
	told := "applicato." + appliedBefore(applied)
	for _, fault := range faults {
		if told += "\n    " + fault.Italian(); fault.Kind == paymentfile.FaultPages {
			r.failed++ // not as a whole
		}
	}
	return told, nil
}

// appliedBefore says that a settlement was applied before.
func appliedBefore(applied settlement.ApplyResult) string {
	if applied.Unchanged {
		return " Il flusso era già stato acquisito, in questa revisione o in una più recente."
	}
	return ""
}

// describe sums a file up, with the first faults.
func describe(report paymentfile.Report) string {
	text := report.Italian()
	for i, fault := range report.Faults {
		if i == maxFaults {
			text += "\n    " + italian.Count(report.NumFaults-i, "altra anomalia", "altre anomalie") + "."
			break
		}
		text += "\n    " + fault.Italian()
	}
	return text
}
