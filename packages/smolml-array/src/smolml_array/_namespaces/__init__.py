"""MLArrays among other libraries: the array API standard, NumPy's dispatch, DLPack."""
