package settlement

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/sentinel"
)

// The errors of refusals, besides those of package flussi.
var (
	// ErrAmount: the parts of a movement are more than its amount, or a part is not positive.
	ErrAmount = sentinel.New("parts and amount differ", "Le parti superano l'importo del movimento.", flussi.ErrInvalid)
	// ErrAlreadyDecided: an operator has decided about the payment or movement. Take the decision back
	// first.
	ErrAlreadyDecided = sentinel.New("decided already", "Un operatore ha già deciso: annullare prima la decisione.", flussi.ErrState)
	// ErrNoDecision: no operator has decided about the payment or movement.
	ErrNoDecision = sentinel.New("nothing to take back", "Non c'è alcuna decisione da annullare.", flussi.ErrState)
	// ErrTooManyPayments: more than [MaxPaymentsPerReference] payments have one reference, or
	// references that operators matched with each other; or as many rows of a file have no reference.
	ErrTooManyPayments = sentinel.New("too many payments of a reference", fmt.Sprintf("Più di %s pagamenti hanno lo stesso IUV, "+
		"o IUV abbinati tra loro a mano: verificare i file e gli abbinamenti.", italian.Number(MaxPaymentsPerReference)), flussi.ErrInvalid)
	// ErrNotApplicable: [Service.Apply] cannot apply the file, such as a receipt.
	ErrNotApplicable = sentinel.New("file not applicable", "Il file non è un flusso di rendicontazione né un giornale di cassa.", flussi.ErrInvalid)
)

// errTooManyRows is an [ErrTooManyPayments] of rows without a reference.
var errTooManyRows = sentinel.New("too many rows without a reference", fmt.Sprintf("Più di %s righe del flusso non hanno lo IUV: "+
	"verificare che il file sia quello giusto.", italian.Number(MaxPaymentsPerReference)), ErrTooManyPayments)

// failed wraps the error of a method, or returns nil.
func failed(operation, entity string, id uuid.UUID, err error) error {
	return core.Failure(flussi.Error{Package: "settlement", Operation: operation, Entity: entity, ID: id, Err: err},
		core.Reason{Err: flussi.ErrNotFound, Italian: "Flusso, pagamento o movimento inesistente, oppure utente non abilitato all'ente."},
		core.Reason{Err: flussi.ErrForbidden, Italian: "L'utente non è abilitato all'ente: rivolgersi a chi assegna le abilitazioni."})
}

// refuse returns a refusal with its reason in Italian.
func refuse(err error, reason string, args ...any) error {
	return &flussi.Error{Package: "settlement", Operation: "check", Err: err, Reason: fmt.Sprintf(reason, args...)}
}
