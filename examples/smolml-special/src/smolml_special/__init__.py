"""Special functions as ops of SmolML: on numbers, Values and arrays, with every derivative.

`erf` is one of SmolML's built-in ops, whose names nobody can take; it is here so that one import
gives them all.

>>> from smolml_special import gammaln
>>> from smolml_value import Value
>>> x = Value(5.0)
>>> y = gammaln(x)  # log(4!)
>>> y.backward()
>>> round(y.data, 12), round(x.grad, 12)
(3.178053830348, 1.506117668432)
"""

from smolml_special.bessel import i0, i1, iv
from smolml_special.error import erf, erfc, erfinv, log_ndtr, ndtr
from smolml_special.gamma import betaln, digamma, gammaln, polygamma
from smolml_special.logistic import expit, log_expit, logit, softsign, xlogy

__version__ = "0.1.0"

__all__ = [
    "betaln",
    "digamma",
    "erf",
    "erfc",
    "erfinv",
    "expit",
    "gammaln",
    "i0",
    "i1",
    "iv",
    "log_expit",
    "log_ndtr",
    "logit",
    "ndtr",
    "polygamma",
    "softsign",
    "xlogy",
]
