"""Facts support can refuse with."""

from kernel.errors import Conflict, Forbidden, Invalid, NotFound


class UnknownTicket(NotFound):
    code = "ticket_unknown"
    message = "There is no such ticket."


class IllegalTicketMove(Conflict):
    code = "ticket_state"
    message = "The ticket is {status} and cannot become {wanted}."


class TicketClosed(Conflict):
    code = "ticket_closed"
    message = "The ticket is closed. Open a new one and name its number."


class TicketEmailNeeded(Invalid):
    code = "ticket_email_required"
    message = "Say which e-mail address the answer should go to."


class TicketWithoutCustomer(Conflict):
    code = "ticket_without_customer"
    message = "The ticket belongs to nobody who has an account."


class NotYourTicket(Forbidden):
    code = "ticket_not_yours"
    message = "Only the one who asked may rate the answer."


class NotSolvedYet(Conflict):
    code = "ticket_not_solved"
    message = "The ticket is {status}: it can be rated once it is solved."


class AlreadyRated(Conflict):
    code = "ticket_already_rated"
    message = "This ticket has been rated already."


class UnknownAssignee(NotFound):
    code = "assignee_unknown"
    message = "There is no such member of the support team."


class UnknownArticle(NotFound):
    code = "article_unknown"
    message = "There is no such article."


class ArticleSlugTaken(Conflict):
    code = "article_slug_taken"
    message = "There is already an article called {slug}."


class UnknownMacro(NotFound):
    code = "macro_unknown"
    message = "There is no such macro."


class MacroCodeTaken(Conflict):
    code = "macro_code_taken"
    message = "There is already a macro called {code}."


class BadPlaceholders(Invalid):
    code = "macro_placeholders_invalid"
    message = "A macro may hold only these placeholders, each in double braces: {allowed}. Not valid: {wrong}."


class PlaceholderUnfilled(Conflict):
    code = "macro_placeholder_unfilled"
    message = "This ticket has nothing to put in place of: {missing}."
