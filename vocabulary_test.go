package flussi_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/golden"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/mailmerge"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/noticeflow"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// secrets are what no error may show: a fiscal code, a notice number, a message's text.
var secrets = []string{"RSSMRA80A01H501U", "301005100001400678", "Gentile Mario Rossi"}

// sentinels lists every Err… variable of the packages that callers use.
var sentinels = map[string]error{
	"settlement.ErrAmount": settlement.ErrAmount, "settlement.ErrAlreadyDecided": settlement.ErrAlreadyDecided, "settlement.ErrNoDecision": settlement.ErrNoDecision,
	"settlement.ErrNotApplicable": settlement.ErrNotApplicable, "settlement.ErrTooManyPayments": settlement.ErrTooManyPayments,
	"flussi.ErrInvalid": flussi.ErrInvalid, "flussi.ErrNotFound": flussi.ErrNotFound, "flussi.ErrConflict": flussi.ErrConflict,
	"flussi.ErrForbidden": flussi.ErrForbidden, "flussi.ErrState": flussi.ErrState, "flussi.ErrDuplicate": flussi.ErrDuplicate,
	"flussi.ErrExists": flussi.ErrExists, "flussi.ErrRows": flussi.ErrRows, "flussi.ErrConfig": flussi.ErrConfig,
	"flussi.ErrCommitUnknown": flussi.ErrCommitUnknown, "flussi.ErrNotStored": flussi.ErrNotStored,
	"flussi.ErrStoreUnavailable": flussi.ErrStoreUnavailable,
	"flow.ErrNothingToSend":      flow.ErrNothingToSend, "flow.ErrDisabled": flow.ErrDisabled, "flow.ErrNotDisabled": flow.ErrNotDisabled,
	"flow.ErrMayHaveArrived": flow.ErrMayHaveArrived, "flow.ErrOutcomeKnown": flow.ErrOutcomeKnown, "flow.ErrAnonymised": flow.ErrAnonymised,
	"flow.ErrCitizenUnreachable": flow.ErrCitizenUnreachable, "flow.ErrOutcomeNotStored": flow.ErrOutcomeNotStored,
	"flow.ErrSimilarService": flow.ErrSimilarService,
	"pagoinrete.ErrDonation": pagoinrete.ErrDonation, "pagoinrete.ErrNotices": pagoinrete.ErrNotices,
	"pagoinrete.ErrDiscrepancy": pagoinrete.ErrDiscrepancy, "pagoinrete.ErrAmount": pagoinrete.ErrAmount,
	"noticeflow.ErrNoPayer": noticeflow.ErrNoPayer, "noticeflow.ErrTemplate": noticeflow.ErrTemplate,
	"mailmerge.ErrTemplate": mailmerge.ErrTemplate, "mailmerge.ErrMissing": mailmerge.ErrMissing, "mailmerge.ErrUnknown": mailmerge.ErrUnknown,
	"fsm.ErrNotAllowed": fsm.ErrNotAllowed, "fsm.ErrUnknownState": fsm.ErrUnknownState, "fsm.ErrRole": fsm.ErrRole, "fsm.ErrNoPath": fsm.ErrNoPath,
}

// kinds are the kinds of a RemoteError.
var kinds = map[string]error{
	"flussi.ErrRemoteInvalid": flussi.ErrRemoteInvalid, "flussi.ErrUnauthorized": flussi.ErrUnauthorized,
	"flussi.ErrRemoteForbidden": flussi.ErrRemoteForbidden, "flussi.ErrRemoteNotFound": flussi.ErrRemoteNotFound,
	"flussi.ErrRemoteState": flussi.ErrRemoteState, "flussi.ErrRateLimited": flussi.ErrRateLimited,
	"flussi.ErrUnavailable": flussi.ErrUnavailable, "flussi.ErrInterrupted": flussi.ErrInterrupted,
	"flussi.ErrOutcomeUnknown": flussi.ErrOutcomeUnknown,
}

// values are what can be wrong with a value, a field or a cell.
var values = map[string]error{
	"flussi.ErrEmpty": flussi.ErrEmpty, "flussi.ErrLength": flussi.ErrLength, "flussi.ErrCharacter": flussi.ErrCharacter,
	"flussi.ErrCheckDigits": flussi.ErrCheckDigits, "flussi.ErrBirthDate": flussi.ErrBirthDate, "flussi.ErrNotPersonal": flussi.ErrNotPersonal,
	"flussi.ErrAmbiguous": flussi.ErrAmbiguous, "flussi.ErrNotation": flussi.ErrNotation, "flussi.ErrDecimals": flussi.ErrDecimals,
	"flussi.ErrRange": flussi.ErrRange, "flussi.ErrDigitsLost": flussi.ErrDigitsLost, "flussi.ErrDate": flussi.ErrDate,
	"appio.ErrFrontMatter": appio.ErrFrontMatter, "appio.ErrEncoding": appio.ErrEncoding, "appio.ErrPast": appio.ErrPast, "appio.ErrFeatureLevel": appio.ErrFeatureLevel,
	"appio.ErrTooManyButtons": appio.ErrTooManyButtons, "appio.ErrLink": appio.ErrLink,
	"flow.ErrPayment":   flow.ErrPayment,
	"excel.ErrRequired": excel.ErrRequired, "excel.ErrHidden": excel.ErrHidden, "excel.ErrCellType": excel.ErrCellType,
	"excel.ErrFormula": excel.ErrFormula, "excel.ErrNotCalculated": excel.ErrNotCalculated, "excel.ErrTimeOfDay": excel.ErrTimeOfDay,
	"excel.ErrPast": excel.ErrPast, "excel.ErrUnformatted": excel.ErrUnformatted, "excel.ErrChoice": excel.ErrChoice,
	"excel.ErrFields": excel.ErrFields, "excel.ErrCheck": excel.ErrCheck, "excel.ErrOtherFile": excel.ErrOtherFile,
}

// files are what can be wrong with a file.
var files = map[string]error{
	"excel.ErrFormat": excel.ErrFormat, "excel.ErrTruncated": excel.ErrTruncated, "excel.ErrMalformed": excel.ErrMalformed,
	"excel.ErrUnsafe": excel.ErrUnsafe, "excel.ErrLimit": excel.ErrLimit, "excel.ErrSheet": excel.ErrSheet,
	"excel.ErrHeader": excel.ErrHeader, "excel.ErrMerged": excel.ErrMerged, "excel.ErrReport": excel.ErrReport,
	"excel.ErrMapping": excel.ErrMapping,
}

// paymentFiles are what can be wrong with a file of payments.
var paymentFiles = map[string]error{
	"paymentfile.ErrFormat": paymentfile.ErrFormat, "paymentfile.ErrTruncated": paymentfile.ErrTruncated, "paymentfile.ErrMalformed": paymentfile.ErrMalformed,
	"paymentfile.ErrEncoding": paymentfile.ErrEncoding, "paymentfile.ErrUnsafe": paymentfile.ErrUnsafe, "paymentfile.ErrLimit": paymentfile.ErrLimit,
}

// definitions are what can be wrong with the definition of a machine; no operator causes them.
var definitions = map[string]error{
	"fsm.ErrEmptyDefinition": fsm.ErrEmptyDefinition, "fsm.ErrBadName": fsm.ErrBadName, "fsm.ErrUndeclared": fsm.ErrUndeclared,
	"fsm.ErrUnknownInitial": fsm.ErrUnknownInitial, "fsm.ErrDuplicateState": fsm.ErrDuplicateState, "fsm.ErrDuplicateEdge": fsm.ErrDuplicateEdge,
	"fsm.ErrUnreachableState": fsm.ErrUnreachableState, "fsm.ErrDeadEnd": fsm.ErrDeadEnd, "fsm.ErrFinalLeft": fsm.ErrFinalLeft,
	"fsm.ErrTwoLabels": fsm.ErrTwoLabels, "fsm.ErrTwoTargets": fsm.ErrTwoTargets, "fsm.ErrBadLabel": fsm.ErrBadLabel,
}

// errorTypes returns an error of every exported type, as calls return it. Where a caller, a file
// or a platform has a say in its text, it says a secret.
func errorTypes(t *testing.T) map[string]error {
	t.Helper()
	_, value := flussi.ParseFiscalCode(secrets[0] + "X")
	invalid := flow.Draft{Subject: flussi.NewText(secrets[2])}.Validate(flow.GuideLimits())
	_, transition := flow.FlowMachine().Fire(t.Context(), flow.FlowInactive, flow.FlowSend, flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}})
	_, definition := fsm.New(fsm.Definition[string, string]{Name: "door"})
	problem := &flussi.Problem{Status: 400, Title: flussi.NewText(secrets[2]), Detail: flussi.NewText(secrets[0])}
	_, link := appio.Markdown(secrets[2], appio.Button{Label: "a", Link: "javascript:" + secrets[0]})
	samples := map[string]error{
		"flussi.ValueError":                  value,
		"flussi.InvalidError":                invalid,
		"flussi.RowError":                    &flussi.RowError{Row: 7, Err: invalid},
		"flussi.Error":                       &flussi.Error{Package: "flow", Operation: "send flow", Entity: "flow", ID: uuid.Max, Err: errors.New("disk full")},
		"flussi.RemoteError":                 &flussi.RemoteError{Package: "appio", Platform: "App IO", Operation: "submit message", Kind: flussi.ErrUnavailable, Status: 503, Problem: problem, Err: errors.New(secrets[1])},
		"flussi.ValueError (appio.Markdown)": link,
		"fsm.TransitionError":                transition,
		"fsm.DefinitionError":                definition,
		"flow.StopError":                     &flow.StopError{FlowID: uuid.Max, Err: &flussi.RemoteError{Package: "appio", Platform: "App IO", Operation: "submit message", Kind: flussi.ErrUnauthorized, Problem: problem}, Reason: "Invio fermato. App IO non accetta la chiave del servizio: verificare la chiave, poi riprendere con «Invia Flusso»."},
		"flow.AlreadySentError":              &flow.AlreadySentError{NotificationID: uuid.Max, Earlier: flow.Notification{ID: uuid.Max, State: flow.NotificationSent, Transmission: flow.Transmission{SentAt: time.Date(2030, 2, 28, 9, 0, 0, 0, time.UTC)}, Draft: flow.Draft{Subject: flussi.NewText(secrets[2])}}},
		"flow.SimilarServiceError":           &flow.SimilarServiceError{Service: "Tributi", Existing: "tributi"},
		"pagoinrete.NoticeError":             &pagoinrete.NoticeError{NoticeID: uuid.Max, Reference: "GITA-1", Instalment: 2, Err: &flussi.RemoteError{Package: "restgateway", Platform: "Pago In Rete", Operation: "transmit notice", Kind: flussi.ErrRemoteInvalid, Problem: problem}},
		"noticeflow.NoticeError":             &noticeflow.NoticeError{NoticeID: uuid.Max, Instalment: 2, Err: noticeflow.ErrNoPayer, Reason: "non ha un versante a cui scrivere: avvisare la famiglia con un altro canale."},
		"context.Canceled":                   &flussi.Error{Package: "flow", Operation: "list flows", Err: context.Canceled},
		"context.DeadlineExceeded":           &flussi.Error{Package: "flow", Operation: "list flows", Err: context.DeadlineExceeded},
	}
	maps.Copy(samples, excelErrors(t))
	maps.Copy(samples, paymentFileErrors(t))
	return samples
}

// TestVocabulary walks every error that the packages can return, and writes docs/errors.md: the
// status for a web service, and the text for operators. No error is left out: the source is
// searched for them. No error shows personal data.
func TestVocabulary(t *testing.T) {
	samples := errorTypes(t)
	for name, err := range sentinels {
		samples[name] = err
		wrapped := &flussi.Error{Package: "flow", Operation: "take action", Err: err} // as services return it
		assert.Equal(t, flussi.HTTPStatus(err), flussi.HTTPStatus(wrapped), name)
		if _, explains := err.(flussi.Explainer); explains {
			assert.Equal(t, flussi.Explain(err), flussi.Explain(wrapped), name)
		}
	}
	for name, kind := range kinds {
		samples[name] = &flussi.RemoteError{Package: "appio", Platform: "App IO", Operation: "submit message", Kind: kind, Err: errors.New(secrets[0])}
	}
	for name, err := range values {
		samples[name] = &flussi.ValueError{Type: "Field", Err: err, Reason: "(dipende dal valore)"}
	}
	for name, err := range files {
		samples[name] = &excel.FileError{Err: err, Cause: nil, Reason: "(dipende dal file)"}
	}
	for name, err := range paymentFiles {
		samples[name] = &paymentfile.FileError{Err: err, Position: paymentfile.Position{Line: 1, Column: 1}, Reason: "(dipende dal file)"}
	}
	for name, err := range definitions {
		samples[name] = &fsm.DefinitionError{Machine: "door", Defects: []error{err}}
	}
	declared := declaredErrors(t)
	for _, name := range declared {
		assert.Contains(t, samples, name, "an error that the table of this test lacks")
	}
	var table strings.Builder
	table.WriteString("| error | status | text for operators (`flussi.Explain`) |\n|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(samples)) {
		err := samples[name]
		require.Error(t, err, name)
		status, text := flussi.HTTPStatus(err), flussi.Explain(err)
		fmt.Fprintf(&table, "| `%s` | %d %s | %s |\n", name, status, http.StatusText(status), text)
		assert.Equal(t, status, flussi.HTTPStatus(fmt.Errorf("handler: %w", err)), "%s, wrapped", name)
		for _, shown := range []string{err.Error(), text, fmt.Sprintf("%v %+v", err, err)} {
			for _, secret := range secrets {
				assert.NotContains(t, shown, secret, name)
			}
		}
	}
	golden.Block(t, "docs/errors.md", "", table.String())
}

// declaredErrors returns the exported variables Err… and the exported types with a method Error, of
// all packages that callers use, such as flow.ErrDisabled.
func declaredErrors(t *testing.T) []string {
	t.Helper()
	var names []string
	require.NoError(t, fs.WalkDir(os.DirFS("."), ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (slices.Contains([]string{"internal", "examples", "testdata", "docs", "sqlstore"}, d.Name()) || strings.HasSuffix(d.Name(), "test") || len(d.Name()) > 1 && d.Name()[0] == '.'):
			return fs.SkipDir
		case d.IsDir() || path.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			return err
		}
		for _, declaration := range parsed.Decls {
			switch d := declaration.(type) {
			case *ast.FuncDecl:
				if d.Recv != nil && d.Name.Name == "Error" {
					receiver := d.Recv.List[0].Type
					if star, ok := receiver.(*ast.StarExpr); ok {
						receiver = star.X
					}
					if name, ok := receiver.(*ast.Ident); ok && name.IsExported() {
						names = append(names, parsed.Name.Name+"."+name.Name)
					}
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if value, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.VAR {
						for _, name := range value.Names {
							if strings.HasPrefix(name.Name, "Err") {
								names = append(names, parsed.Name.Name+"."+name.Name)
							}
						}
					}
				}
			}
		}
		return nil
	}))
	require.Greater(t, len(names), 50)
	return names
}

func excelErrors(t *testing.T) map[string]error {
	t.Helper()
	type row struct{ Code flussi.FiscalCode }
	column := excel.NewColumn("Codice", excel.FiscalCode(flussi.Strict), func(r *row) *flussi.FiscalCode { return &r.Code }, excel.ColumnConfig{Required: true})
	template := must.Get(excel.New(excel.Config[row]{Name: "Prova"}, column))(t)
	_, defects := excel.New(excel.Config[row]{Name: "Prova"}, column, column)
	_, mapping := template.WithMapping(excel.Mapping{secrets[2]: "Altro"})
	read := func(file string) error {
		var report excel.Report
		for _, err := range template.DecodeCSV(t.Context(), strings.NewReader(file), int64(len(file)), &report) {
			if err != nil {
				return err
			}
		}
		return report.Err
	}
	wrong := read("Codice\n" + secrets[0][:15] + "?\n")
	refused := must.As[*flussi.RowError](t, wrong)
	cell := must.As[*excel.CellError](t, wrong)
	return map[string]error{
		"excel.CellErrors":    wrong,
		"excel.RowsError":     &excel.RowsError{Rows: []*flussi.RowError{refused}},
		"excel.CellError":     cell,
		"excel.FileError":     read("Colonna " + secrets[2] + "\n"),
		"excel.TemplateError": defects,
		"excel.MappingError":  mapping,
	}
}

// paymentFileErrors returns the error of a file that is cut off, and the fault of a row.
func paymentFileErrors(t *testing.T) map[string]error {
	t.Helper()
	const row = "<datiSingoliPagamenti><identificativoUnivocoVersamento>301005100001400678</identificativoUnivocoVersamento>"
	file := must.Get(paymentfile.OpenSettlement(strings.NewReader("<FlussoRiversamento>"+row+"</datiSingoliPagamenti>"+row+secrets[0]), paymentfile.Config{}))(t)
	var cut error
	var fault *paymentfile.Fault
	for payment, err := range file.Payments() {
		if cut = err; err == nil {
			fault = payment.Faults[0]
		}
	}
	return map[string]error{"paymentfile.FileError": cut, "paymentfile.Fault": fault}
}
