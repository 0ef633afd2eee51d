"""The Python blocks of the two documents that say what SmolML must do, word for word."""

from __future__ import annotations

from typing import Final

ENGLISH: Final = (
    """a = Value(2.0)
b = Value(3.0)
c = Value(4.0)
# d 'knows' it resulted from a * b
d = a * b  # d._op = "*", d._prev = {a, b}
# y 'knows' it resulted from d + c
y = d + c  # y._op = "+", y._prev = {d, c}
""",
    """# Creates a 2x2 MLArray; 1.0, 2.0, 3.0, 4.0 are now Value objects
my_matrix = MLArray([[1.0, 2.0], [3.0, 4.0]])
""",
    r"""# Example using ml_array.py and value.py

# Input data (e.g., batch of 2 samples, 2 features each)
x = MLArray([[1.0, 2.0], [3.0, 4.0]])
# Weights (e.g., simple linear layer mapping 2 features to 1 output)
w = MLArray([[0.5], [-0.5]])

# --- Forward Pass (Builds the graph) ---
# Matrix multiplication
z = x @ w
# Apply activation function (element-wise)
a = z.tanh()
# Calculate total loss (e.g., sum of activations)
L = a.sum() # L is now a scalar MLArray containing one Value

# --- Backward Pass (Calculates gradients) ---
L.backward() # Triggers Value.backward() across the graph

# --- Inspect Gradients ---
# Gradient of L w.r.t. each element in x
print("Gradient w.r.t. x:")
print(x.grad())
# Gradient of L w.r.t. each element in w
print("\nGradient w.r.t. w:")
print(w.grad())
""",
)
SPANISH: Final = (
    """a = Value(2.0)
b = Value(3.0)
c = Value(4.0)
# d 'sabe' que resultó de a * b
d = a * b  # d._op = "*", d._prev = {a, b}
# y 'sabe' que resultó de d + c
y = d + c  # y._op = "+", y._prev = {d, c}
""",
    """# Crea un MLArray 2x2; 1.0, 2.0, 3.0, 4.0 ahora son objetos Value
my_matrix = MLArray([[1.0, 2.0], [3.0, 4.0]])
""",
    r"""# Ejemplo usando ml_array.py y value.py

# Datos de entrada (ej., lote de 2 muestras, 2 características cada una)
x = MLArray([[1.0, 2.0], [3.0, 4.0]])
# Pesos (ej., capa lineal simple mapeando 2 características a 1 salida)
w = MLArray([[0.5], [-0.5]])

# --- Paso Hacia Adelante (Construye el grafo) ---
# Multiplicación de matrices
z = x @ w
# Aplicar función de activación (elemento por elemento)
a = z.tanh()
# Calcular pérdida total (ej., suma de activaciones)
L = a.sum() # L ahora es un MLArray escalar conteniendo un Value

# --- Paso Hacia Atrás (Calcula gradientes) ---
L.backward() # Dispara Value.backward() a través del grafo

# --- Inspeccionar Gradientes ---
# Gradiente de L w.r.t. cada elemento en x
print("Gradiente w.r.t. x:")
print(x.grad())
# Gradiente de L w.r.t. cada elemento en w
print("\nGradiente w.r.t. w:")
print(w.grad())
""",
)
