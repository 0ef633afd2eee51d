"""THE TABLE: every built-in element-wise op, one entry each.

An entry is a name, a forward and one partial for each operand, written against a namespace `xp`
(see `elementwise`). Nothing else is needed for Value, MLArray, every backend and every order of
derivative. `out` is the result of the forward. Conventions at kinks: README.md, "Numbers".
"""

from __future__ import annotations

import math
from typing import Any, Final

from smolml_value.node import BUILT_IN
from smolml_value.op import Op, elementwise
from smolml_value.traced import TracedNamespace

_REALS = (-3.0, 3.0)
_POSITIVE = (0.1, 4.0)
_AWAY_FROM_ZERO = (0.3, 3.0)


def _power_slope(xp: Any, out: Any, x: Any, y: Any) -> Any:
    """y x**(y - 1), but 0 for y = 0 also at x = 0, where 0 * x**-1 is nan."""
    slope = y * xp.pow(x, y - 1.0)  # depends on y at y = 0, too: 0 there would cut d/dy
    return xp.where((y == 0.0) & (slope != slope), 0.0, slope)


def _share(xp: Any, x: Any, y: Any) -> Any:
    """exp(x) / (exp(x) + exp(y)); of two inf each has half, of two -inf nobody anything."""
    d = x - y
    return xp.where((x == y) & (d != d), 0.5 * (x > 0.0), sigmoid.on(xp, d))


def _sigmoid(xp: Any, x: Any) -> Any:
    """exp(x) / (1 + exp(x)), which is 1 long before exp overflows."""
    e = xp.exp(xp.minimum(x, 40.0))
    return e / (1.0 + e)


def _leaky(xp: Any, x: Any, *, alpha: float = 0.01) -> Any:
    if 0.0 < alpha <= 1.0:  # the larger one, and nothing branches
        return xp.maximum(x, alpha * x)
    return xp.where(x > 0.0, x, alpha * x)


def _sigmoid_slope(xp: Any, out: Any, x: Any) -> Any:
    if isinstance(xp, TracedNamespace):  # smooth: |x| has no second derivative at 0
        return out * sigmoid.on(xp, -x)
    e = xp.exp(-xp.abs(x))  # out * (1 - out) would cancel far to the right
    d = 1.0 + e
    return e / (d * d)


def _sech_squared(xp: Any, out: Any, x: Any) -> Any:
    s = 1.0 / xp.cosh(x)  # 1 - tanh(x)**2 would cancel on both sides
    return s * s


def _share_of_square(xp: Any, x: Any, y: Any) -> Any:
    """x / (x**2 + y**2), 0 at the origin; no square over- or underflows."""
    h = xp.hypot(x, y)
    return xp.where(h == 0.0, 0.0, x / h / h)


def _normal_density(xp: Any, out: Any, x: Any) -> Any:
    return xp.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


def _gelu_slope(xp: Any, out: Any, x: Any) -> Any:
    if isinstance(xp, TracedNamespace):  # the slope of out / x would cancel near 0
        below = _normal_cdf.on(xp, x)
    else:
        below = xp.where(xp.abs(x) < 1e-30, 0.5, xp.divide(out, x))
    return below + x * _normal_density(xp, out, x)


# Arithmetic ------------------------------------------------------------------------------------

add: Final = elementwise("add", lambda xp, x, y: x + y, (1.0, 1.0), symbol="+", doc="x + y")
subtract: Final = elementwise(
    "subtract", lambda xp, x, y: x - y, (1.0, -1.0), symbol="-", doc="x - y"
)
multiply: Final = elementwise(
    "multiply",
    lambda xp, x, y: x * y,
    (lambda xp, out, x, y: y, lambda xp, out, x, y: x),
    symbol="*",
    doc="x * y",
)
divide: Final = elementwise(
    "divide",
    lambda xp, x, y: xp.divide(x, y),
    (lambda xp, out, x, y: 1.0 / y, lambda xp, out, x, y: -out / y),
    symbol="/",
    domain=(_REALS, _AWAY_FROM_ZERO),
    doc="x / y; 1 / 0 is inf, 0 / 0 is nan",
)
floor_divide: Final = elementwise(
    "floor_divide",
    lambda xp, x, y: xp.floor_divide(x, y),
    (0.0, 0.0),
    symbol="//",
    domain=(_REALS, _AWAY_FROM_ZERO),
    doc="floor(x / y); derivatives 0",
)
remainder: Final = elementwise(
    "remainder",
    lambda xp, x, y: xp.remainder(x, y),
    (1.0, lambda xp, out, x, y: -xp.floor_divide(x, y)),
    symbol="%",
    domain=(_REALS, _AWAY_FROM_ZERO),
    doc="x - y floor(x / y), of the sign of y; derivatives 1 and -floor(x / y), at jumps, too",
)
pow: Final = elementwise(
    "pow",
    lambda xp, x, y: xp.pow(x, y),
    (
        _power_slope,
        # x**y log(x), but 0 at x = 0, where the limit is 0 and the product 0 * -inf is nan
        lambda xp, out, x, y: xp.where((x == 0.0) & (y >= 0.0), 0.0, out * xp.log(x)),
    ),
    symbol="**",
    domain=(_POSITIVE, _REALS),
    doc="x ** y; nan for a negative x with a fractional y",
)
negative: Final = elementwise("negative", lambda xp, x: -x, (-1.0,), symbol="neg", doc="-x")
positive: Final = elementwise("positive", lambda xp, x: x * 1.0, (1.0,), symbol="pos", doc="+x")
reciprocal: Final = elementwise(
    "reciprocal",
    lambda xp, x: xp.divide(1.0, x),
    (lambda xp, out, x: -out * out,),
    domain=(_AWAY_FROM_ZERO,),
    doc="1 / x",
)
square: Final = elementwise(
    "square", lambda xp, x: x * x, (lambda xp, out, x: 2.0 * x,), doc="x * x"
)
sqrt: Final = elementwise(
    "sqrt",
    lambda xp, x: xp.sqrt(x),
    (lambda xp, out, x: 0.5 / out,),
    domain=(_POSITIVE,),
    doc="The square root; nan below 0; the derivative at 0 is inf",
)
abs: Final = elementwise(
    "abs", lambda xp, x: xp.abs(x), (lambda xp, out, x: xp.sign(x),), doc="|x|; derivative 0 at 0"
)
hypot: Final = elementwise(
    "hypot",
    lambda xp, x, y: xp.hypot(x, y),
    (
        lambda xp, out, x, y: xp.where(out == 0.0, 0.0, x / out),
        lambda xp, out, x, y: xp.where(out == 0.0, 0.0, y / out),
    ),
    doc="sqrt(x**2 + y**2) without overflow; derivatives 0 at (0, 0)",
)

# Exponentials and logarithms -------------------------------------------------------------------

exp: Final = elementwise("exp", lambda xp, x: xp.exp(x), (lambda xp, out, x: out,), doc="e ** x")
expm1: Final = elementwise(
    "expm1",
    lambda xp, x: xp.expm1(x),
    (lambda xp, out, x: xp.exp(x),),  # out + 1 would cancel far to the left
    doc="exp(x) - 1, accurate near 0",
)
log: Final = elementwise(
    "log",
    lambda xp, x: xp.log(x),
    (lambda xp, out, x: 1.0 / x,),
    domain=(_POSITIVE,),
    doc="The natural logarithm; -inf at 0, nan below",
)
log1p: Final = elementwise(
    "log1p",
    lambda xp, x: xp.log1p(x),
    (lambda xp, out, x: 1.0 / (1.0 + x),),
    domain=((-0.8, 4.0),),
    doc="log(1 + x), accurate near 0",
)
log2: Final = elementwise(
    "log2",
    lambda xp, x: xp.log2(x),
    (lambda xp, out, x: (1.0 / math.log(2.0)) / x,),
    domain=(_POSITIVE,),
    doc="The logarithm to base 2",
)
log10: Final = elementwise(
    "log10",
    lambda xp, x: xp.log10(x),
    (lambda xp, out, x: (1.0 / math.log(10.0)) / x,),
    domain=(_POSITIVE,),
    doc="The logarithm to base 10",
)
logaddexp: Final = elementwise(
    "logaddexp",
    lambda xp, x, y: xp.logaddexp(x, y),
    (lambda xp, out, x, y: _share(xp, x, y), lambda xp, out, x, y: _share(xp, y, x)),
    doc="log(exp(x) + exp(y)) without overflow; -inf of two -inf, with derivatives 0",
)

# Trigonometric and hyperbolic ------------------------------------------------------------------

sin: Final = elementwise("sin", lambda xp, x: xp.sin(x), (lambda xp, out, x: xp.cos(x),))
cos: Final = elementwise("cos", lambda xp, x: xp.cos(x), (lambda xp, out, x: -xp.sin(x),))
tan: Final = elementwise(
    "tan", lambda xp, x: xp.tan(x), (lambda xp, out, x: 1.0 + out * out,), domain=((-1.2, 1.2),)
)
asin: Final = elementwise(
    "asin",
    lambda xp, x: xp.asin(x),
    (lambda xp, out, x: 1.0 / xp.sqrt((1.0 - x) * (1.0 + x)),),
    domain=((-0.9, 0.9),),
)
acos: Final = elementwise(
    "acos",
    lambda xp, x: xp.acos(x),
    (lambda xp, out, x: -1.0 / xp.sqrt((1.0 - x) * (1.0 + x)),),
    domain=((-0.9, 0.9),),
)
atan: Final = elementwise(
    "atan",
    lambda xp, x: xp.atan(x),
    (lambda xp, out, x: xp.square(1.0 / xp.hypot(x, 1.0)),),  # no square overflows
)
atan2: Final = elementwise(
    "atan2",
    lambda xp, y, x: xp.atan2(y, x),
    (
        lambda xp, out, y, x: _share_of_square(xp, x, y),
        lambda xp, out, y, x: _share_of_square(xp, -1.0 * y, x),
    ),
    doc="The angle of the point (x, y), in (-pi, pi]; derivatives 0 at the origin",
)
sinh: Final = elementwise("sinh", lambda xp, x: xp.sinh(x), (lambda xp, out, x: xp.cosh(x),))
cosh: Final = elementwise("cosh", lambda xp, x: xp.cosh(x), (lambda xp, out, x: xp.sinh(x),))
tanh: Final = elementwise("tanh", lambda xp, x: xp.tanh(x), (_sech_squared,))
asinh: Final = elementwise(
    "asinh", lambda xp, x: xp.asinh(x), (lambda xp, out, x: 1.0 / xp.hypot(x, 1.0),)
)
acosh: Final = elementwise(
    "acosh",
    lambda xp, x: xp.acosh(x),
    (lambda xp, out, x: 1.0 / (xp.sqrt(x - 1.0) * xp.sqrt(x + 1.0)),),
    domain=((1.2, 4.0),),
)
atanh: Final = elementwise(
    "atanh",
    lambda xp, x: xp.atanh(x),
    (lambda xp, out, x: 1.0 / ((1.0 - x) * (1.0 + x)),),
    domain=((-0.9, 0.9),),
)

# Comparing and rounding ------------------------------------------------------------------------

_OF_CHOICES: Final = (  # one for each operand; of a tie each has half
    lambda xp, out, x, y: xp.where(x == y, 0.5, xp.where(out == x, 1.0, 0.0)),
    lambda xp, out, x, y: xp.where(x == y, 0.5, xp.where(out == y, 1.0, 0.0)),
)
maximum: Final = elementwise(
    "maximum",
    lambda xp, x, y: xp.maximum(x, y),
    _OF_CHOICES,
    doc="The larger of the two; a tie splits the cotangent in halves",
)
minimum: Final = elementwise(
    "minimum",
    lambda xp, x, y: xp.minimum(x, y),
    _OF_CHOICES,
    doc="The smaller of the two; a tie splits the cotangent in halves",
)
clip: Final = elementwise(
    "clip",
    lambda xp, x, *, min=None, max=None: xp.clip(x, min, max),
    # passes inside and at the bounds: where clipping left x as it is
    (lambda xp, out, x, *, min=None, max=None: xp.where(out == x, 1.0, 0.0),),
    doc="x held between the numbers min and max; derivative 1 inside and at the bounds, else 0",
)
where: Final = elementwise(
    "where",
    lambda xp, condition, x, y: xp.where(condition != 0, x, y),
    (
        None,
        lambda xp, out, condition, x, y: xp.where(condition != 0, 1.0, 0.0),
        lambda xp, out, condition, x, y: xp.where(condition != 0, 0.0, 1.0),
    ),
    doc="x where the condition holds, else y",
)
sign: Final = elementwise("sign", lambda xp, x: xp.sign(x), (0.0,), doc="-1, 0 or 1")
floor: Final = elementwise("floor", lambda xp, x: xp.floor(x), (0.0,))
ceil: Final = elementwise("ceil", lambda xp, x: xp.ceil(x), (0.0,))
trunc: Final = elementwise("trunc", lambda xp, x: xp.trunc(x), (0.0,))
round: Final = elementwise("round", lambda xp, x: xp.round(x), (0.0,), doc="To even at .5")

# The field's own -------------------------------------------------------------------------------

relu: Final = elementwise(
    "relu",
    lambda xp, x: xp.maximum(x, 0.0),
    (lambda xp, out, x: out > 0.0,),
    symbol="ReLU",
    doc="max(x, 0); derivative 0 at 0",
)
leaky_relu: Final = elementwise(
    "leaky_relu",
    _leaky,
    (lambda xp, out, x, *, alpha=0.01: xp.where(x > 0.0, 1.0, alpha),),
    doc="x for x > 0, else alpha x",
)
elu: Final = elementwise(
    "elu",
    lambda xp, x, *, alpha=1.0: xp.maximum(x, 0.0) + alpha * xp.expm1(xp.minimum(x, 0.0)),
    # not out + alpha, which cancels; at 0 the left branch, whose minimum with 0 would be a tie
    (
        lambda xp, out, x, *, alpha=1.0: xp.where(
            x > 0.0, 1.0, alpha * xp.exp(xp.where(x > 0.0, 0.0, x))
        ),
    ),
    doc="x for x > 0, else alpha (exp(x) - 1) (Clevert et al. 2015)",
)
sigmoid: Final[Op] = elementwise(
    "sigmoid",
    _sigmoid,
    (_sigmoid_slope,),
    doc="1 / (1 + exp(-x))",
)
softplus: Final = elementwise(
    "softplus",
    lambda xp, x: xp.logaddexp(x, 0.0),
    (lambda xp, out, x: sigmoid.on(xp, x),),
    doc="log(1 + exp(x)) without overflow",
)
silu: Final = elementwise(
    "silu",
    lambda xp, x: x * sigmoid.on(xp, x),
    # with s = sigmoid(x): s + x s (1 - s) = s + out (1 - s); 1 - s is sigmoid(-x), and not
    # multiplied out: (1 - out) + out would be 0 for a large out
    (lambda xp, out, x: sigmoid.on(xp, x) + out * sigmoid.on(xp, -x),),
    doc="x sigmoid(x), also called swish (Hendrycks & Gimpel 2016)",
)
erf: Final = elementwise(
    "erf",
    lambda xp, x: xp.map_scalar(math.erf, x),
    (lambda xp, out, x: (2.0 / math.sqrt(math.pi)) * xp.exp(-x * x),),
    doc="The error function, 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x",
)
_normal_cdf: Final = elementwise(
    "normal_cdf",
    # 1 + erf would cancel far to the left
    lambda xp, x: 0.5 * xp.map_scalar(math.erfc, x * -math.sqrt(0.5)),
    (_normal_density,),
)
gelu: Final = elementwise(
    "gelu",
    lambda xp, x: x * _normal_cdf.on(xp, x),
    (_gelu_slope,),
    doc="x Phi(x), Phi the normal distribution function (Hendrycks & Gimpel 2016)",
)


TABLE: Final[dict[str, Op]] = BUILT_IN
"""Every op above under its name."""
TABLE.update(
    {
        name: entry
        for name, entry in list(globals().items())
        if isinstance(entry, Op) and name[0] != "_"
    }
)
