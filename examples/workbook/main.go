// Command workbook gives out an empty workbook for fees, and checks one that was
// filled in:
//
//	go run ./examples/workbook blank contributi.xlsx
//	go run ./examples/workbook check contributi.xlsx corretto.xlsx
//
// check reads a workbook or a CSV file, prints what is right and what is wrong, and
// writes a copy of the file with the wrong cells marked. The program ends with 1 if
// rows are wrong or the file cannot be read.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/examples/internal/outfile"
	"github.com/flussi-go/flussi/excel"
)

// fee is one row of the workbook.
type fee struct {
	Debtor flussi.FiscalCode
	Reason string
	Amount flussi.Cents
	Due    time.Time
	Late   bool
}

// fees makes the template.
func fees() (*excel.Template[fee], error) {
	return excel.New(excel.Config[fee]{Name: "Contributi", Intro: "Un contributo per riga, per ogni alunno che lo deve versare."},
		excel.NewColumn("Codice fiscale", excel.FiscalCode(flussi.Lenient), func(f *fee) *flussi.FiscalCode { return &f.Debtor },
			excel.ColumnConfig{Aliases: []string{"C.F.", "Cod. Fisc."}, Required: true, Help: "Dell'alunno."}),
		excel.NewColumn("Causale", excel.Text(3, 60), func(f *fee) *string { return &f.Reason },
			excel.ColumnConfig{Required: true, Example: "Visita d'istruzione a Siena"}),
		excel.NewColumn("Importo", excel.Money(flussi.MinPayable, flussi.MaxPayable), func(f *fee) *flussi.Cents { return &f.Amount },
			excel.ColumnConfig{Aliases: []string{"Somma"}, Required: true, Total: true}),
		excel.NewColumn("Scadenza", excel.Date(excel.DateConfig{EndOfDay: true, WarnPast: true}), func(f *fee) *time.Time { return &f.Due },
			excel.ColumnConfig{Required: true}),
		excel.NewColumn("Paga dopo la scadenza", excel.YesNo(), func(f *fee) *bool { return &f.Late }, excel.ColumnConfig{Help: "Se vuota: No."}),
	)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], &cli.Output{To: os.Stdout}); err != nil {
		fmt.Fprintln(&cli.Output{To: os.Stderr}, err)
		os.Exit(1)
	}
}

var errUsage = errors.New("uso: workbook blank <file.xlsx> | workbook check <file> <copia.xlsx>")

func run(ctx context.Context, args []string, out io.Writer) error {
	template, err := fees()
	switch {
	case err != nil:
		return err
	case len(args) == 2 && args[0] == "blank":
		return write(args[1], func(w io.Writer) error { return template.Blank(ctx, w) })
	case len(args) == 3 && args[0] == "check":
		return check(ctx, template, args[1], args[2], out)
	}
	return errUsage
}

// check reads a file, prints the report, and writes the copy with marks.
func check(ctx context.Context, template *excel.Template[fee], name, marked string, out io.Writer) error {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular(): // reading a pipe would wait for a writer
		return errors.New("non è un file")
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	var report excel.Report
	lines, err := excel.Collect(template.DecodeAny(ctx, file, info.Size(), &report))
	var refused *excel.RowsError
	errors.As(err, &refused)
	fmt.Fprint(out, report.Italian(refused, 0))
	if err != nil && refused == nil && !errors.Is(err, excel.ErrHeader) {
		return errors.New("nessuna riga è stata letta")
	}
	var total flussi.Cents
	for _, line := range lines {
		total += line.Value.Amount
	}
	fmt.Fprintf(out, "\nTotale delle righe corrette: %s\n", total.Euro())
	if report.OK() {
		return nil
	}
	if err := write(marked, func(w io.Writer) error { return template.Annotate(ctx, w, file, info.Size(), &report, refused) }); err != nil {
		return err
	}
	return fmt.Errorf("ci sono errori: sono segnati in %s", marked)
}

// write makes a new file, or none if something fails.
func write(name string, content func(io.Writer) error) error {
	outfile.Sweep(filepath.Dir(name))
	return outfile.Write(name, false, content)
}
