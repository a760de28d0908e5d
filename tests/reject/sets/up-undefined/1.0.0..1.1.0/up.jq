. | labelled("none")
