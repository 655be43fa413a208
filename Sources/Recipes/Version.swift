/// The version of the program, as it stands in models and feature folders.
package let limbeckVersion = "0.3.0"
