package appiotest

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/faults"
)

// refusal returns the platform's answer if it refuses a well-formed request, or nil. The checks
// have the platform's order.
func (s *Simulator) refusal(service Service, request checked) *faults.Reply {
	known, own := s.configuration(service, request.configuration)
	switch {
	case request.payee != "" && request.payee != service.Body && !service.NamesPayee:
		return forbidden("The service cannot name the payee " + request.payee)
	case request.level == "ADVANCED" && service.StandardOnly:
		return forbidden(notEnough)
	case request.isRemote && request.configuration == "":
		return faults.Problem(http.StatusForbidden, "No configuration id for remote content",
			"You did not send any configuration id for your remote content in third_party_data")
	case request.isRemote && !known:
		return faults.Problem(http.StatusNotFound, "Remote Content Configuration NOT FOUND",
			"Cannot find any Remote Content Configuration with the given id")
	case request.isRemote && !own:
		return faults.Problem(http.StatusForbidden, "Not your configuration",
			"You're not the owner of the configuration related to the given configuration_id")
	case request.hasAttachments && request.level != "ADVANCED":
		return faults.Problem(http.StatusForbidden, "Attachments call forbidden",
			"You are not allowed to send messages with attachmens with STANDARD messages, please use ADVANCED")
	case service.Recipients != nil && !slices.Contains(service.Recipients, request.code):
		return faults.Problem(http.StatusForbidden, "Recipient forbidden", "You are not allowed to issue requests for the recipient.")
	case !service.writesToAge(request.code, time.Now()):
		return faults.Problem(http.StatusUnprocessableEntity, "Recipient age not eligible", "The recipient is not in the age range of the service.")
	case request.isPayment && service.MaxAmount > 0 && request.amount > int64(service.MaxAmount):
		return faults.Problem(http.StatusBadRequest, "Error while sending payment metadata", fmt.Sprintf(
			"The requested amount (%d cents) exceeds the maximum allowed for this service (%d cents)", request.amount, service.MaxAmount))
	}
	return nil
}

// configuration reports whether any body has a configuration of remote content, and whether the
// body of the service has it.
func (s *Simulator) configuration(service Service, id string) (known, own bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.services {
		if slices.Contains(other.Configurations, id) {
			known = true
			own = own || other.Body == service.Body
		}
	}
	return known, own
}

// writesToAge reports whether a service with an age range may write to a citizen. The platform reads
// the age from the fiscal code. A citizen whose code has no date of birth is outside every range.
func (s Service) writesToAge(citizen flussi.FiscalCode, now time.Time) bool {
	if s.MinAge == 0 && s.MaxAge == 0 {
		return true
	}
	born, err := citizen.BirthDate(now)
	if err != nil {
		return false
	}
	age := now.Year() - born.Year()
	if born.AddDate(age, 0, 0).After(now) {
		age--
	}
	return age >= s.MinAge && (s.MaxAge == 0 || age <= s.MaxAge)
}
