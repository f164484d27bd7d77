package noticeexcel

import (
	"strconv"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/pagoinrete"
)

// The headers of the columns that a draft is made of.
const (
	debtorHeader     = "Codice fiscale debitore"
	nameHeader       = "Cognome e nome"
	kindHeader       = "Tipo"
	payerHeader      = "Codice fiscale versante"
	instalmentHeader = "Rata"
	amountHeader     = "Importo"
	discountHeader   = "Sconto"
	dueHeader        = "Scadenza"
	referenceHeader  = "Riferimento"
)

// kinds are the kinds of the columns of a draft.
type kinds struct {
	code       excel.Kind[flussi.FiscalCode] // of the debtor and of the payer
	name       excel.Kind[flussi.Text]
	debtor     excel.Kind[pagoinrete.DebtorKind]
	instalment excel.Kind[int]
	amount     excel.Kind[flussi.Cents]
	discount   excel.Kind[flussi.Cents]
	due        excel.Kind[time.Time]
	reference  excel.Kind[string]

	beneficiary excel.Kind[flussi.OrganizationCode] // of a transfer
	transfer    excel.Kind[flussi.Cents]
}

// importKinds refuse in a cell what every event will refuse.
func importKinds(codes flussi.Policy) kinds {
	return kinds{
		code: excel.FiscalCode(codes),
		name: excel.PersonalText(1, pagoinrete.MaxName),
		debtor: excel.Choice(
			excel.Option[pagoinrete.DebtorKind]{Label: pagoinrete.DebtorPupil.Label(), Value: pagoinrete.DebtorPupil},
			excel.Option[pagoinrete.DebtorKind]{Label: pagoinrete.DebtorStaff.Label(), Value: pagoinrete.DebtorStaff},
		),
		instalment: instalments(1, pagoinrete.MaxInstalments),
		amount:     excel.Money(flussi.MinPayable, flussi.MaxPayable),
		discount:   excel.Money(0, flussi.MaxPayable),
		due: excel.Date(excel.DateConfig{EndOfDay: true, WarnPast: true,
			First: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), Last: time.Date(2999, 12, 31, 0, 0, 0, 0, time.UTC)}),
		reference: excel.Text(1, pagoinrete.MaxReference),

		beneficiary: excel.OrganizationCode(codes), transfer: orEmpty{excel.Money(flussi.MinPayable, flussi.MaxPayable)},
	}
}

func instalments(least, most int64) excel.Kind[int] {
	return excel.Convert(excel.Integer(least, most), func(n int64) int { return int(n) }, func(n int) int64 { return int64(n) })
}

// draftColumns returns the columns of a draft, of an import or of an export.
func draftColumns[Row any](k kinds, export bool, of func(*Row) *pagoinrete.NoticeDraft) []excel.Column[Row] {
	return []excel.Column[Row]{
		excel.NewColumn(debtorHeader, k.code, func(r *Row) *flussi.FiscalCode { return &of(r).Debtor }, excel.ColumnConfig{
			Field: "Debtor",
			Aliases: []string{"Codice fiscale", "C.F.", "Cod. Fisc.", "Cod. fiscale", "C.F. debitore", "Cod. Fisc. debitore", "Codice fiscale del debitore", "C.F. del debitore",
				"C.F. alunno", "Cod. Fisc. alunno", "Codice fiscale alunno", "Codice fiscale dell'alunno", "C.F. alunna", "Codice fiscale alunna", "C.F. alunno/a", "Codice fiscale alunno/a", "Codice fiscale dell'alunno/a",
				"C.F. studente", "Cod. Fisc. studente", "Codice fiscale studente", "Codice fiscale dello studente", "C.F. studente/ssa", "Codice fiscale studente/ssa",
				"C.F. dipendente", "Codice fiscale dipendente", "Codice fiscale del dipendente", "C.F. personale", "Codice fiscale personale", "C.F. docente", "Codice fiscale docente", "Codice fiscale del docente"},
			Required: !export, ReadOnly: export, Help: "Il codice fiscale dell'alunno, o del membro del personale, a cui è intestato l'avviso."}),
		excel.NewColumn(nameHeader, k.name, func(r *Row) *flussi.Text { return &of(r).DebtorName }, excel.ColumnConfig{
			Field: "DebtorName",
			Aliases: []string{"Cognome nome", "Cognome/Nome", "Nome e cognome", "Nome cognome", "Nominativo", "Nominativo alunno", "Nominativo dell'alunno", "Nominativo debitore", "Nominativo del debitore",
				"Alunno", "Alunna", "Alunno/a", "Studente", "Studente/ssa", "Cognome e nome alunno", "Cognome e nome dell'alunno", "Cognome nome alunno", "Cognome e nome debitore", "Cognome e nome del debitore"},
			ReadOnly: export, Width: 30, Example: "Rossi Maria", Help: "Cognome e nome del debitore."}),
		excel.NewColumn(kindHeader, k.debtor, func(r *Row) *pagoinrete.DebtorKind { return &of(r).DebtorKind }, excel.ColumnConfig{
			Field:    "DebtorKind",
			Aliases:  []string{"Tipo debitore", "Tipo di debitore", "Tipologia", "Tipologia debitore", "Tipologia di debitore", "Alunno o personale", "Alunno/personale"},
			ReadOnly: export, Width: 14, Help: ifImport(export, "Se la cella è vuota, vale «alunno».", "Se il debitore è un alunno o un membro del personale.")}),
		excel.NewColumn(payerHeader, k.code, func(r *Row) *flussi.FiscalCode { return &of(r).Payer }, excel.ColumnConfig{
			Field: "Payer",
			Aliases: []string{"Versante", "C.F. versante", "Cod. Fisc. versante", "Codice fiscale del versante", "C.F. del versante", "Soggetto versante", "C.F. soggetto versante", "Codice fiscale soggetto versante",
				"C.F. tutore", "Cod. Fisc. tutore", "Codice fiscale tutore", "Codice fiscale del tutore", "C.F. genitore", "Cod. Fisc. genitore", "Codice fiscale genitore", "Codice fiscale del genitore",
				"C.F. genitore/tutore", "Codice fiscale genitore/tutore", "C.F. tutore/genitore", "Codice fiscale tutore/genitore", "C.F. genitore o tutore", "Codice fiscale genitore o tutore",
				"C.F. pagatore", "Codice fiscale pagatore", "C.F. responsabile", "Codice fiscale responsabile"},
			ReadOnly: export, Example: "BNCLRA70A41H501B", Help: "Il codice fiscale di chi paga per l'alunno, come il genitore o il tutore."}),
		excel.NewColumn(instalmentHeader, k.instalment, func(r *Row) *int { return &of(r).Instalment }, excel.ColumnConfig{
			Field:    "Instalment",
			Aliases:  []string{"N. rata", "Nº rata", "Nr. rata", "Num. rata", "Numero rata", "Numero della rata", "Rata n.", "Rata nº", "Rata nr.", "Rata numero"},
			ReadOnly: export, Help: ifImport(export, "Il numero della rata dell'evento. Se la cella è vuota, si crea un avviso per ogni rata.", "Il numero della rata dell'evento.")}),
		excel.NewColumn(amountHeader, k.amount, func(r *Row) *flussi.Cents { return &of(r).Amount }, excel.ColumnConfig{
			Field: "Amount",
			Aliases: []string{"Somma", "Somma dovuta", "Somma da pagare", "Importo dovuto", "Importo da pagare", "Importo totale", "Importo in euro", "Importo euro", "Importo avviso", "Importo dell'avviso",
				"Quota", "Totale", "Totale da pagare"},
			Total:    !export, // an export has no sum: saved as CSV, it would be a row like the others
			ReadOnly: export,
			Help: ifImport(export, "L'importo prima dello sconto; senza numero di rata, di tutte le rate insieme. Se la cella è vuota, vale quello dell'evento. Va indicato se l'importo dell'evento è flessibile.",
				"L'importo prima dello sconto.")}),
		excel.NewColumn(discountHeader, k.discount, func(r *Row) *flussi.Cents { return &of(r).Discount }, excel.ColumnConfig{
			Field:   "Discount",
			Aliases: []string{"Sconto in euro", "Sconto euro", "Importo sconto", "Importo dello sconto", "Riduzione", "Importo riduzione", "Detrazione"},
			Total:   !export, ReadOnly: export, Example: "2,50",
			Help: ifImport(export, "Lo sconto in euro, non in percentuale; senza numero di rata, su tutte le rate insieme. Se la cella è vuota, non c'è sconto.", "Lo sconto in euro.")}),
		excel.NewColumn(dueHeader, k.due, func(r *Row) *time.Time { return &of(r).DueDate }, excel.ColumnConfig{
			Field: "DueDate",
			Aliases: []string{"Data scadenza", "Data di scadenza", "Scad.", "Scade il", "Scadenza pagamento", "Scadenza del pagamento", "Data scadenza pagamento", "Scadenza rata", "Scadenza della rata",
				"Termine di pagamento", "Da pagare entro", "Pagare entro il"},
			ReadOnly: export,
			Help:     ifImport(export, "La scadenza, valida fino alla fine del giorno. Se la cella è vuota, vale quella della rata. Con la scadenza va indicata anche la rata.", "La scadenza, valida fino alla fine del giorno.")}),
		excel.NewColumn(referenceHeader, k.reference, func(r *Row) *string { return &of(r).Reference }, excel.ColumnConfig{
			Field:   "Reference",
			Aliases: []string{"Rif.", "Rif. interno", "Riferimento interno", "Nostro riferimento", "Riferimento pratica"},
			Width:   24, ReadOnly: export, Example: "GITA-2030-0123", Help: "La chiave con cui la scuola riconosce l'avviso, senza dati personali. La famiglia non la vede."}),
	}
}

func ifImport(export bool, imported, exported string) string {
	if export {
		return exported
	}
	return imported
}

// transferHeaders returns the names of the column of the amount of a transfer, by its index in
// [pagoinrete.Transfers].
func transferHeaders(i int) []string {
	number := strconv.Itoa(i + 1)
	return []string{"Versamento " + number, "Importo versamento " + number, "Importo del versamento " + number}
}

// transferColumns returns the columns of the transfers of a draft, of an import or of an export.
func transferColumns[Row any](k kinds, export bool, of func(*Row) *pagoinrete.NoticeDraft) []excel.Column[Row] {
	var columns []excel.Column[Row]
	for i := range pagoinrete.MaxTransfers {
		number, field, headers := strconv.Itoa(i+1), "", transferHeaders(i)
		if i == 0 {
			field = "Transfers"
		}
		columns = append(columns,
			excel.NewColumn(headers[0], k.transfer, func(r *Row) *flussi.Cents { return &of(r).Transfers[i].Amount }, excel.ColumnConfig{
				Field: field, Aliases: headers[1:], ReadOnly: export,
				Help: ifImport(export, "L'importo del versamento "+number+" di un pagamento a più beneficiari. La somma dei versamenti è l'importo al netto dello sconto. Se tutte le celle sono vuote, la scuola incassa l'intero importo.",
					"L'importo del versamento "+number+" di un pagamento a più beneficiari.")}),
			excel.NewColumn("Beneficiario "+number, k.beneficiary, func(r *Row) *flussi.OrganizationCode { return &of(r).Transfers[i].Beneficiary }, excel.ColumnConfig{
				Aliases: []string{"Ente beneficiario " + number, "Codice fiscale beneficiario " + number, "Beneficiario versamento " + number}, ReadOnly: export,
				Help: "Il codice fiscale dell'ente che incassa il versamento " + number + ". Se la cella è vuota, lo incassa la scuola."}),
		)
	}
	return columns
}

// orEmpty is a kind of amounts that writes an empty cell for zero.
type orEmpty struct{ excel.Kind[flussi.Cents] }

// Write writes the amount.
func (k orEmpty) Write(c flussi.Cents) excel.Cell {
	if c == 0 {
		return excel.Cell{}
	}
	return k.Kind.Write(c)
}
