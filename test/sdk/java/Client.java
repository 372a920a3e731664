import dev.langchain4j.model.openai.OpenAiChatModel;
import java.util.Locale;

/**
 * Makes one call with langchain4j, as an application would, and prints one JSON object: the version, whether it
 * succeeded, the error, the seconds. Nothing here knows of Outrigger. With CREATES set in the environment the chat is stored.
 *
 * <pre>java -cp 'JARS/*' Client.java langchain4j BASE_URL [RETRIES]</pre>
 */
public final class Client {
    public static void main(String[] arguments) {
        long start = System.nanoTime();
        String error = "";
        try {
            var builder = OpenAiChatModel.builder().baseUrl(arguments[1]).apiKey("sk-test").modelName("gpt-4.1");
            if (System.getenv("CREATES") != null) {
                builder.store(true);
            }
            if (arguments.length > 2) {
                builder.maxRetries(Integer.parseInt(arguments[2]));
            }
            builder.build().chat("Why does a canoe need an outrigger?");
        } catch (RuntimeException e) {
            error = e.getClass().getSimpleName() + ": " + e.getMessage();
        }
        String jar = OpenAiChatModel.class.getProtectionDomain().getCodeSource().getLocation().getPath();
        System.out.printf(Locale.ROOT, "{\"version\": \"%s\", \"ok\": %b, \"error\": \"%s\", \"seconds\": %.3f}%n",
                jar.substring(jar.lastIndexOf('/') + 1), error.isEmpty(),
                error.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", " "), (System.nanoTime() - start) / 1e9);
    }
}
