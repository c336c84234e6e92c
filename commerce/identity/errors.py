"""Facts identity can refuse with. None of them tells whether an account exists."""

from kernel.errors import Conflict, Invalid, NotFound, Unauthenticated


class BadCredentials(Unauthenticated):
    code = "bad_credentials"
    message = "That e-mail address and password do not fit."


class BadToken(Unauthenticated):
    code = "token_invalid"
    message = "The token is not valid or has expired. Sign in again."


class BadAgentToken(Unauthenticated):
    code = "agent_token_invalid"
    message = "This agent may not act for anybody now."


class EmailTaken(Conflict):
    code = "email_taken"
    message = "There is already an account with that e-mail address."


class WeakPassword(Invalid):
    code = "password_weak"
    message = "A password needs at least {least} characters."


class UnknownUser(NotFound):
    code = "user_unknown"
    message = "There is no such user."
